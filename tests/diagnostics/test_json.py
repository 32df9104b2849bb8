"""The json renderer: keys that programs can rely on."""

import json

from qflow import registry
from qflow.diagnostics import Diagnostic, Edit, Label, Span
from qflow.diagnostics.renderers.json import FORMAT_VERSION, Json

KEYS = {"code", "severity", "message", "at", "label", "also", "notes", "help"} | {
    "about",
    "edits",
    "allowed",
}


def test_every_key_with_its_value() -> None:
    diagnostic = Diagnostic(
        "QF222",
        "members disagree é",
        at=Span("a.qf", 1, 2, 3, 4),
        label="here",
        also=(Label(Span("b.qf", 5, 6, 7, 8), "there"),),
        notes=("one", "two"),
        help="do",
        severity="warning",
        about="stem.conv",
        edits=(Edit(Span("a.qf", 1, 2, 1, 2), "x"),),
        allowed="so it is",
    )
    text = Json().render([diagnostic], {})
    data = json.loads(text)
    assert data["format_version"] == FORMAT_VERSION
    assert data["diagnostics"] == [
        {
            "code": "QF222",
            "severity": "warning",
            "message": "members disagree é",
            "at": {"path": "a.qf", "line": 1, "column": 2, "end_line": 3, "end_column": 4},
            "label": "here",
            "also": [
                {
                    "at": {"path": "b.qf", "line": 5, "column": 6, "end_line": 7, "end_column": 8},
                    "text": "there",
                }
            ],
            "notes": ["one", "two"],
            "help": "do",
            "about": "stem.conv",
            "edits": [
                {
                    "at": {"path": "a.qf", "line": 1, "column": 2, "end_line": 1, "end_column": 2},
                    "text": "x",
                }
            ],
            "allowed": "so it is",
        }
    ]
    assert "é" in text
    assert text.endswith("}\n")


def test_what_is_absent_is_null_or_empty_but_there() -> None:
    data = json.loads(Json().render([Diagnostic("QF302", "gone")], {}, color=True))
    (record,) = data["diagnostics"]
    assert set(record) == KEYS
    assert record["at"] is None
    assert record["also"] == record["notes"] == record["edits"] == []


def test_nothing_found_is_an_empty_list() -> None:
    assert json.loads(Json().render([], {}))["diagnostics"] == []


def test_is_found_by_name() -> None:
    assert registry.load("diagnostics.renderers", "json") is Json
