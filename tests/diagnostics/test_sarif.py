"""The sarif renderer: the schema of SARIF 2.1.0, and marks that survive moved lines."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from qflow.diagnostics import Diagnostic, Edit, Label, Span
from qflow.diagnostics.codes import CODES
from qflow.diagnostics.renderers.sarif import Sarif

SCHEMA = json.loads((Path(__file__).parent / "sarif" / "sarif-schema-2.1.0.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
AT = Span("sub dir/x.qf", 3, 9, 3, 14)
FULL = Diagnostic(
    "QF222",
    "members disagree",
    at=AT,
    label="here",
    also=(Label(Span("y.qf", 5, 6, 7, 8), "there"), Label(AT, "")),
    notes=("one",),
    help="do",
    severity="warning",
    about="stem.conv",
    edits=(Edit(Span("sub dir/x.qf", 3, 9, 3, 9), "new"), Edit(AT, "")),
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run_of(found: list[Diagnostic], sources: dict[str, str] | None = None) -> dict[str, Any]:
    log = json.loads(Sarif().render(found, sources or {}))
    problems = [f"{e.json_path}: {e.message}" for e in VALIDATOR.iter_errors(log)]
    assert problems == []
    (run,) = log["runs"]
    return run


def test_the_schema_refuses_what_is_none() -> None:
    log = json.loads(Sarif().render([FULL], {}))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert list(VALIDATOR.iter_errors(log))


def test_every_part_of_a_finding() -> None:
    run = run_of([FULL])
    (result,) = run["results"]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("QF222", 0, "warning")
    assert result["message"]["text"] == "members disagree\nhere\none\nhelp: do"
    (location,) = result["locations"]
    assert location == {
        "physicalLocation": {
            "artifactLocation": {"uri": "sub%20dir/x.qf", "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": 3, "startColumn": 9, "endLine": 3, "endColumn": 14},
        },
        "logicalLocations": [{"fullyQualifiedName": "stem.conv"}],
    }
    assert [r["id"] for r in result["relatedLocations"]] == [1, 2]
    assert result["relatedLocations"][0]["message"] == {"text": "there"}
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    assert [r["insertedContent"]["text"] for r in change["replacements"]] == ["new", ""]
    assert fix["description"] == {"text": "do"}
    assert result["suppressions"] == []


def test_nothing_found_is_a_run_without_results() -> None:
    run = run_of([])
    assert run["results"] == []
    assert run["tool"]["driver"]["rules"] == []


def test_a_finding_without_a_place() -> None:
    (result,) = run_of([Diagnostic("QF304", "no lock", severity="note")])["results"]
    assert result["locations"] == []
    assert result["level"] == "note"


def test_a_file_outside_has_a_whole_uri() -> None:
    (result,) = run_of([Diagnostic("QF105", "m", at=Span("/else/ä.qf", 1, 1, 1, 2))])["results"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "file:///else/%C3%A4.qf"}


def test_allowed_is_suppressed_with_the_reason() -> None:
    (result,) = run_of([Diagnostic("QF205", "twice", at=AT, allowed="two authors")])["results"]
    assert result["suppressions"] == [{"kind": "inSource", "justification": "two authors"}]


def test_every_id_is_a_rule_with_help() -> None:
    run = run_of([Diagnostic(code, "m") for code in CODES])
    rules = run["tool"]["driver"]["rules"]
    assert [r["id"] for r in rules] == sorted(CODES)
    for rule, result in zip(rules, run["results"], strict=True):
        assert rule["shortDescription"]["text"] == CODES[rule["id"]]
        assert rule["help"]["text"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def marks(found: list[Diagnostic], text: str) -> list[str]:
    results = run_of(found, {"x.qf": text})["results"]
    assert all(len(set(r["partialFingerprints"].values())) == 1 for r in results)
    return [r["partialFingerprints"]["primaryLocationLineHash"] for r in results]


def rule_at(line: int, column: int = 9, **more: Any) -> Diagnostic:
    span = Span("x.qf", line, column, line, column + 12)
    return Diagnostic("QF201", "this matches no module", at=span, **more)


def test_marks_do_not_move_with_lines() -> None:
    before = '  match "neck.fpn.3" use w8a8\n'
    after = '# more\n\n    match "neck.fpn.3"     use w8a16\n'
    assert marks([rule_at(1)], before) == marks([rule_at(3, 11)], after)
    other = '  match "neck.fpn.4" use w8a8\n'
    assert marks([rule_at(1)], before) != marks([rule_at(1)], other)


def test_marks_of_what_it_is_about_need_no_text() -> None:
    a = marks([rule_at(1, about="neck.fpn.3")], '  match "neck.fpn.3" use w8a8\n')
    assert a == marks([rule_at(2, about="neck.fpn.3")], "\n")
    assert a != marks([rule_at(2, about="neck.fpn.4")], "\n")


def test_the_same_twice_is_counted() -> None:
    text = '  match "neck.fpn.3" use w8a8\n' * 2
    first, second = marks([rule_at(1), rule_at(2)], text)
    assert first.partition(":")[0] == second.partition(":")[0]
    assert (first[-2:], second[-2:]) == (":1", ":2")


@settings(max_examples=30)
@given(
    st.text(),
    st.text(min_size=1).filter(lambda t: "\x00" not in t and t.isprintable()),
    st.lists(st.integers(0, 9), min_size=4, max_size=4),
)
def test_any_text_is_valid(message: str, name: str, place: list[int]) -> None:
    span = Span(f"a/{name}", *place)
    text = message.encode("utf-8", "replace").decode()
    found = Diagnostic("QF201", text, at=span, help=text, edits=(Edit(span, text),))
    (result,) = run_of([found], {span.path: "some\ntext"})["results"]
    assert result["message"]["text"].startswith(text)
