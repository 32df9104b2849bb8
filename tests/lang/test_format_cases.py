"""Text in, text out: tests/cases/format/NAME.in.qf is formatted as NAME.out.qf, to the letter."""

from pathlib import Path

import pytest

from qflow.diagnostics import QflowError
from qflow.lang import format as formatting
from qflow.lang.comments import Source
from qflow.lang.format import UnsafeFormat, format_text
from qflow.lang.parse import parse

CASES = sorted((Path(__file__).parents[1] / "cases" / "format").glob("*.in.qf"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name.removesuffix(".in.qf"))
def test_case(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    out = path.with_name(path.name.replace(".in.", ".out."))
    expected = out.read_text(encoding="utf-8")
    assert format_text(text, path.name) == expected
    assert format_text(expected, out.name) == expected
    assert parse(expected, "p").file == parse(text, "p").file
    assert Source(expected).all_comments() == Source(text).all_comments()


def test_there_are_cases() -> None:
    assert len(CASES) > 8


def test_text_with_mistakes_is_refused_with_its_source() -> None:
    with pytest.raises(QflowError) as caught:
        format_text("qflow 1\nmodel m { a: 1 }\n", "x.qf")
    assert [d.code for d in caught.value.diagnostics] == ["QF101"]
    assert caught.value.sources == {"x.qf": "qflow 1\nmodel m { a: 1 }\n"}


TEXT = "qflow 1\n\nmodel m { a = 1 } # why\n"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda text, file: "qflow 1\n\nmodel m { a = 2 }  # why\n", "change what it says"),
        (lambda text, file: "qflow 1\n\nmodel m { a = 1 }\n", "lose a comment"),
        (lambda text, file: text + "\n", "two results"),
        (lambda text, file: "qflow 1\n\nmodel m {", "change what it says"),
    ],
)
def test_each_safety_check_stops_a_wrong_formatter(
    monkeypatch: pytest.MonkeyPatch, broken: object, said: str
) -> None:
    monkeypatch.setattr(formatting, "_formatted", broken)
    with pytest.raises(UnsafeFormat, match=said):
        format_text(TEXT, "x.qf")


def test_windows_text_is_formatted_like_any_other() -> None:
    assert format_text("\ufeffqflow 1\r\nmodel m {\r\n\ta=1\r\n}", "x.qf") == (
        "qflow 1\nmodel m {\n  a = 1\n}\n"
    )
