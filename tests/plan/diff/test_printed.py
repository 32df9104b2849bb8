"""The three forms of a difference: what they show, and that nothing in them steers who shows it."""

import json
from dataclasses import replace

from qflow.plan.diff import Side, compare, markdown, text
from qflow.plan.diff import json as diff_json
from tests.plan.diff.pairs import DIGITS, MIXED, edited, side

MATCH = "match sensitive(sens, top = top, type = activation)"
TOP = ("top: int = 3", "top: int = 5")


def test_text() -> None:
    shown = text.render(edited(MIXED, TOP), "x.qf")
    assert shown.startswith("x.qf: a version -> a version\n\nparams\n      top  3 -> 5\n")
    assert "    block1.first.conv, block2.first.conv\n      act.dtype     int8 -> int16\n" in shown
    assert "2 of 25 modules change, 1 param\n" in shown
    assert "weights         43,320 bytes, as before\n" in shown
    assert "bit operations  28,078,080 -> 38,694,912 (+37.8 %)\n" in shown
    assert shown.endswith("runs again      prepare, calibrate, evaluate, convert, export, verify\n")


def test_no_difference() -> None:
    found = edited(MIXED)
    assert text.render(found, "x.qf") == "x.qf: a version -> a version: no difference\n"
    assert markdown.render(found, "x.qf").endswith("\n\nNo difference.\n")
    assert diff_json.plain(found, "x.qf")["same"] is True


def test_many_addresses_are_counted_unless_all_are_wanted() -> None:
    found = edited(DIGITS, ('state "**" = qat', 'state "**" = validation'))
    short, full = text.render(found, "x.qf"), text.render(found, "x.qf", full=True)
    assert " more\n" in short
    assert " more\n" not in full
    assert len(full) > len(short)
    assert "` and " in markdown.render(found, "x.qf")


def test_one_rule_is_shown_once_above_everything_it_does() -> None:
    found = edited(MIXED, ("top: int = 3", "top: int = 0"), (MATCH, f"{MATCH} optional"))
    assert len([g for g in found.groups if g.section == "modules"]) > 1
    assert text.render(found, "x.qf").count("default use w8a8") == 1


def test_markdown_has_whole_rows() -> None:
    shown = markdown.render(edited(MIXED, TOP), "a|b`c.qf")
    rows = [line for line in shown.splitlines() if line.startswith("|")]
    assert rows
    for row in rows:
        assert row.count("|") == 5
    assert "28: `default use w8a8`" in shown


def test_json_is_plain_data() -> None:
    found = diff_json.plain(edited(MIXED, TOP), "x.qf")
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(found, sort_keys=True))
    assert found["modules"] == {"before": 25, "after": 25, "changed": 2, "added": 0, "removed": 0}
    assert found["cost"]["after"]["bit_operations"] == 38_694_912
    assert found["groups"][1]["before"] == {"place": "28", "text": "default use w8a8"}


def test_a_hostile_plan_neither_ends_a_row_nor_steers_a_terminal() -> None:
    before = side(MIXED, MIXED.read_text())
    assert before.plan is not None
    strange = "a\n| b \\| \x1b[2J `` c ` \u202e"
    modules = (replace(before.plan.modules[0], address=strange), *before.plan.modules[1:])
    found = compare(before, Side("now", replace(before.plan, modules=modules)))
    for shown in (text.render(found, "x"), markdown.render(found, "x")):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    rows = [r for r in markdown.render(found, "x").splitlines() if r.startswith("|")]
    assert all(row.count("|") == 5 for row in rows)
