"""The text renderer, to the letter."""

import re
import unicodedata

import pytest

from qflow import registry
from qflow.diagnostics import Diagnostic, Label, Span
from qflow.diagnostics.renderers.text import Text, count

SOURCE = """\
# Detector
qflow 1
quantize {
  match "neck.fpn.3"    use npu.w16a16
  match "neck.*"        use npu.w8a8
}
"""


def render(*diagnostics: Diagnostic, source: str = SOURCE, color: bool = False) -> str:
    return Text().render(diagnostics, {"det.qf": source}, color=color)


def at(line: int, column: int, end: int, path: str = "det.qf") -> Span:
    return Span(path, line, column, line, end)


def test_the_whole_form() -> None:
    diagnostic = Diagnostic(
        "QF201",
        "this rule matches no module",
        at=at(4, 9, 21),
        label="`det` has no such address",
        notes=("the nearest are `neck.fpn.0`, `neck.fpn.1`, `neck.fpn.2`",),
        help="write `optional` after the pattern if this rule is meant for other models too",
    )
    assert (
        render(diagnostic)
        == """\
error[QF201]: this rule matches no module
 --> det.qf:4:9
  |
4 |   match "neck.fpn.3"    use npu.w16a16
  |         ^^^^^^^^^^^^ `det` has no such address
  = the nearest are `neck.fpn.0`, `neck.fpn.1`, `neck.fpn.2`
  = help: write `optional` after the pattern if this rule is meant for other models too

1 error
"""
    )


def test_second_places_and_line_numbers_of_different_width() -> None:
    long = "\n" * 99 + "x = 1\n" + "\n" * 20 + "  y = 2\n"
    diagnostic = Diagnostic(
        "QF222",
        "members disagree",
        at=at(121, 3, 4),
        also=(Label(at(100, 1, 6), "set here"), Label(at(7, 2, 3, "other.qf"), "and there")),
        severity="warning",
    )
    assert (
        render(diagnostic, source=long)
        == """\
warning[QF222]: members disagree
   --> det.qf:121:3
    |
121 |   y = 2
    |   ^
   ::: det.qf:100:1
    |
100 | x = 1
    | ----- set here
   ::: other.qf:7:2
    = and there

1 warning
"""
    )


def test_findings_are_counted_by_severity() -> None:
    found = [Diagnostic("QF1", "a", severity=s) for s in ("note", "error", "warning", "error")]
    assert count(found) == "2 errors, 1 warning, 1 note"
    assert render(*found).endswith("\n\n2 errors, 1 warning, 1 note\n")


def test_nothing_found_is_no_text() -> None:
    assert render() == ""


def test_a_finding_without_a_place() -> None:
    assert (
        render(Diagnostic("QF302", "there is no file `a.qf`", help="look around"))
        == """\
error[QF302]: there is no file `a.qf`
 = help: look around

1 error
"""
    )


@pytest.mark.parametrize("span", [at(99, 1, 2), at(0, 0, 0), at(4, 9, 21, "unknown.qf")])
def test_a_place_without_its_text_keeps_the_label(span: Span) -> None:
    text = render(Diagnostic("QF105", "odd", at=span, label="this"))
    assert text.startswith(f"error[QF105]: odd\n{' ' * len(str(span.line))}--> {span}\n")
    assert "= this\n" in text


def test_only_the_first_line_of_a_long_span_is_marked() -> None:
    text = render(Diagnostic("QF105", "odd", at=Span("det.qf", 3, 1, 6, 2)))
    assert "3 | quantize {\n  | ^^^^^^^^^^\n" in text


def test_a_span_at_the_end_of_a_line_has_a_caret() -> None:
    assert "3 | quantize {\n  |           ^\n" in render(
        Diagnostic("QF105", "odd", at=at(3, 11, 12))
    )


@pytest.mark.parametrize(
    ("line", "column", "end", "shown", "marks"),
    [
        ("\tab\tc = 1", 5, 6, "    ab  c = 1", "        ^"),
        ("\t\tx", 3, 4, "        x", "        ^"),
        ("漢字 = x", 1, 3, "漢字 = x", "^^^^"),
        ("漢字 = x", 6, 7, "漢字 = x", "       ^"),
        ("e\u0301e\u0301 x", 6, 7, "e\u0301e\u0301 x", "   ^"),
        ("a\u200bb", 3, 4, "a\u200bb", " ^"),
        ("a\x1b[31mb", 7, 8, "a?[31mb", "      ^"),
        ("a\u202eb", 3, 4, "a?b", "  ^"),
        ("a\ud800b", 3, 4, "a?b", "  ^"),
        ("crlf\r", 1, 5, "crlf", "^^^^"),
    ],
)
def test_carets_stand_where_the_text_is_shown(
    line: str, column: int, end: int, shown: str, marks: str
) -> None:
    text = render(Diagnostic("QF105", "odd", at=at(1, column, end)), source=line)
    assert f"1 | {shown}\n  | {marks}\n" in text


def test_no_control_character_reaches_a_terminal() -> None:
    every = "".join(map(chr, range(0x3000)))
    text = render(Diagnostic("QF105", "odd", at=at(1, 1, 2)), source=every.replace("\n", ""))
    excerpt = text.split("\n")[3]
    assert not [c for c in excerpt if unicodedata.category(c) == "Cc"]


def test_color_only_when_asked_and_only_around_the_same_text() -> None:
    diagnostic = Diagnostic("QF201", "odd", at=at(4, 9, 21), label="here", help="no")
    plain = render(diagnostic)
    colored = render(diagnostic, color=True)
    assert "\x1b" not in plain
    assert colored.startswith("\x1b[1;31merror[QF201]\x1b[0m")
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain


def test_is_found_by_name() -> None:
    assert registry.load("diagnostics.renderers", "text") is Text


@pytest.mark.parametrize("column", [1, 30, 5_000, 9_990])
def test_of_a_line_too_long_to_read_the_marked_part_is_shown(column: int) -> None:
    line = "".join(chr(ord("a") + i % 26) for i in range(10_000))
    found = Diagnostic("QF101", "this is wrong", at=at(1, column, column + 7))
    shown = render(found, source=line + "\n").splitlines()
    (text,) = [part for part in shown if part.startswith("1 | ")]
    (mark,) = [part for part in shown if "^" in part]
    assert len(text) < 260
    first, last = mark.index("^"), mark.rindex("^") + 1
    assert text[first:last] == line[column - 1 : column + 6]
    assert text[4:].startswith("…") == (column > 61)
    assert text.endswith("…") == (column < 9_000)
