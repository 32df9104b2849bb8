"""why: field, value, line."""

from dataclasses import replace
from pathlib import Path

import pytest

from qflow.compile.front import front
from qflow.diagnostics import QflowError
from qflow.plan.places import shown
from qflow.plan.why import plain, why

CASES = Path(__file__).parent.parent / "cases" / "compile"


def asked(case: str, address: str) -> str:
    found = front(CASES / case / "x.qf", {})
    assert found.plan is not None
    return why(found.plan, address, found.text)


def test_every_field_names_its_line() -> None:
    base = (
        '16 | match "stem.**", "pool" use w8a8 with'
        " { act.observer = percentile; act.percentile = 99.9 }\n"
    )
    patch = '17 | match "stem.**" patch { act.observer = moving_average }\n'
    assert asked("last_match_wins", "stem.conv") == (
        "stem.conv\n"
        f"  act.dtype              int8             {base}"
        f"  act.scheme             per_tensor       {base}"
        f"  act.observer           moving_average   {patch}"
        f"  act.averaging_constant 0.01             {patch}"
        f"  weight.dtype           int8             {base}"
        f"  weight.scheme          per_channel      {base}"
        f"  weight.observer        min_max          {base}"
        f"  out.dtype              int8             {base}"
        "  rules that matched: 15 use, 16 use, 17 patch\n"
        "  in calibrate         calibration      23 |"
        ' stage calibrate on calib { state "**" = calibration }\n'
        "  in evaluate          validation       24 |"
        ' stage evaluate on val { state "**" = validation }\n'
    )


def test_the_march_is_named_where_it_decided() -> None:
    text = asked("int8", "head")
    assert "  out.dtype            int32             - | nash-m: tail\n" in text
    assert "act." not in text
    lowered = asked("int16_nash", "stem.conv")
    assert "  act.dtype            int8              - | nash-m: max_pool2d takes int8\n" in lowered


def test_absorbed_and_shared_addresses_say_where_to_look() -> None:
    assert "runs inside stem.conv" in asked("int8", "stem.bn")
    assert "act.observer         mse" in asked("int8", "stem.bn")
    shared = asked("int8", "pool")
    assert "lies on the grid of stem.conv: max_pool2d keeps the grid of its input" in shared
    assert "act.observer" not in shared
    assert "cat gives its inputs its own grid" in asked("cat_group", "right.conv")


def test_given_scales_and_settings() -> None:
    assert "act.scale            0.0078125        16 |" in asked("fixed_scale", "quant")
    assert "act.percentile       99.9             23 |" in asked("qconfig_base", "stem.conv")


def test_a_glob_asks_for_every_address_it_covers() -> None:
    heads = [line for line in asked("int8", "block.first.*").splitlines() if line[:1].strip()]
    assert heads == ["block.first.conv", "block.first.bn", "block.first.relu"]


def test_an_unknown_address_names_the_nearest() -> None:
    with pytest.raises(QflowError) as caught:
        asked("int8", "stem.cnv")
    (finding,) = caught.value.diagnostics
    assert finding.code == "QF204"
    assert "`stem.conv`" in finding.notes[0]


def test_one_field_tells_every_rule_that_matched() -> None:
    found = front(CASES / "last_match_wins" / "x.qf", {})
    assert found.plan is not None
    assert why(found.plan, "stem.conv", found.sources, "act.observer") == (
        "stem.conv\n"
        "  act.observer         moving_average   17 |"
        ' match "stem.**" patch { act.observer = moving_average }\n'
        "  rules that matched:\n"
        "    15 | default use w8a8\n"
        '    16 | match "stem.**", "pool" use w8a8 with'
        " { act.observer = percentile; act.percentile = 99.9 }\n"
        '    17 | match "stem.**" patch { act.observer = moving_average }\n'
    )
    both = why(found.plan, "stem.conv", found.sources, "act").splitlines()
    assert [line.split()[0] for line in both if line.startswith("  act")] == [
        *("act.dtype", "act.scheme", "act.observer", "act.averaging_constant")
    ]
    assert "weight" not in "".join(both)


def test_a_field_that_none_has() -> None:
    found = front(CASES / "int8" / "x.qf", {})
    assert found.plan is not None
    for field in ("act.dtpye", "ac", "act.dtype.x", "in calibrate"):
        with pytest.raises(QflowError) as caught:
            why(found.plan, "stem.*", found.sources, field)
        (finding,) = caught.value.diagnostics
        assert finding.code == "QF309"
        assert "`act.dtype`" in finding.notes[0]


def test_data() -> None:
    found = front(CASES / "int8" / "x.qf", {})
    assert found.plan is not None
    (head,) = plain(found.plan, "head", found.sources)
    assert head["address"] == "head"
    assert head["runs_in"] is None
    out = next(f for f in head["fields"] if f["field"] == "out.dtype")
    assert out == {
        "field": "out.dtype",
        "value": "int32",
        "file": None,
        "line": None,
        "source": "",
        "why": "nash-m: tail",
    }
    assert head["rules"] == [{"file": "x.qf", "line": 15, "source": "default use w8a8", "why": ""}]
    assert [s["stage"] for s in head["stages"]] == [s.name for s in found.plan.stages]
    (pool,) = plain(found.plan, "pool", found.sources, "act")
    assert pool["grid"]["owner"] == "stem.conv"
    assert pool["stages"] == []


def test_lines_of_an_imported_file_say_which() -> None:
    found = front(CASES / "int8" / "x.qf", {})
    assert found.plan is not None
    (head,) = (m for m in found.plan.modules if m.address == "head")
    other = replace(head.rules[0], path=shown(found.plan.folder, "common/npu.qf"), line=2)
    modules = tuple(replace(m, rules=(other,)) if m is head else m for m in found.plan.modules)
    plan = replace(found.plan, modules=modules, files=("x.qf", "common/npu.qf"))
    texts = {**found.sources, other.path: "first\n  match use it\n"}
    assert "  rules that matched: common/npu.qf:2 use\n" in why(plan, "head", texts)
    (data,) = plain(plan, "head", texts)
    assert data["rules"][0]["file"] == "common/npu.qf"
    assert data["rules"][0]["source"] == "match use it"
