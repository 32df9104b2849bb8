"""Text no person wrote: a diagnostic in reasonable time, never a traceback."""

import pytest

from qflow.lang.parse import MOST_CHARACTERS, parse

EXTREMES = {
    "deep list": "qflow 1\nmodel m { a = " + "[" * 100_000,
    "deep dict": "qflow 1\nmodel m { a = " + "{a: " * 100_000,
    "deep block": "qflow 1\n" + "model m {\n" * 30_000,
    "nul": "qflow 1\nmodel \0",
    "escape sequence": "qflow 1\nmodel \x1b[31m {}",
    "surrogate": "qflow 1\nmodel \ud800 {}",
    "too long": "#" * (MOST_CHARACTERS + 1),
    "quotes": "qflow 1\n" + '"' * 100_000,
    "closing": "qflow 1\n" + "}\n" * 30_000,
    "digits": "qflow 1\nparam a: int = " + "9" * 100_000,
    "digits of an edition": "qflow " + "9" * 100_000,
    "open blocks": "qflow 1\n" + "model m {\n" * 25,
    "digits before a point": "qflow 1\nparam a: int = " + "9" * 1_000_000 + ".",
    "backslashes": 'qflow 1\nmodel m { a = "' + "\\" * 100_001,
    "a long word": "qflow 1\n" + "w" * 1_000_000,
    "a long word in a block": "qflow 1\nmodel m {\n" + "w" * 1_000_000 + "\n}",
    "letters of many languages": "qflow 1\nmodel \u0645\u0648\u062f\u0644 {}\n\u202e x = 1",
    "spaces that are none": "qflow 1\nmodel\u00a0m {\u2003a\u3000= 1 }",
    "line separators": "qflow 1\u2028model m { a = 1 }\u2029",
    "digits that are none": "qflow 1\nparam a: int = \u0663\uff13",
    "combining marks": "qflow 1\nmodel m { a = e" + "\u0301" * 10_000 + " }",
    "form feed": "qflow 1\nmodel m { a = 1\f}",
    "two byte order marks": "\ufeff\ufeffqflow 1\nmodel m {}",
    "mistakes in one block": "qflow 1\nmodel m {\n" + " a: 1\n" * 3_000 + "}\n",
}


@pytest.mark.parametrize("text", EXTREMES.values(), ids=EXTREMES.keys())
def test_is_a_diagnostic(text: str) -> None:
    parsed = parse(text, "x.qf")
    assert parsed.file is None
    assert 1 <= len(parsed.diagnostics) <= 30


def test_control_characters_are_named_and_located() -> None:
    (diagnostic,) = parse("qflow 1\nuse \x00", "x.qf").diagnostics
    assert diagnostic.code == "QF107"
    assert diagnostic.message == "the character U+0000 does not belong in a program"
    assert str(diagnostic.at) == "x.qf:2:5"


def test_line_ends_may_be_mixed() -> None:
    parsed = parse("qflow 1\rmodel m {\r\n a = 1\n b: 2\r\r\n}\n\r", "x.qf")
    assert [str(d.at) for d in parsed.diagnostics] == ["x.qf:4:3"]
    (model,) = parsed.partial.items
    assert (model.span.line, model.span.end_line) == (2, 6)


def test_any_letter_may_stand_in_strings_and_comments() -> None:
    text = 'qflow 1\nmodel m { a = "\u202e\u0645\U0001f600\u2028" } # \u3000\u0301\u2029\n'
    assert parse(text, "x.qf").diagnostics == ()


def test_a_long_list_is_no_problem() -> None:
    parsed = parse("qflow 1\nmodel m { a = [" + "1, " * 5_000 + "] }", "x.qf")
    assert parsed.diagnostics == ()


def test_nesting_up_to_the_limit_parses() -> None:
    text = "qflow 1\nmodel m { a = " + "[" * 31 + "]" * 31 + " }"
    assert parse(text, "x.qf").diagnostics == ()
