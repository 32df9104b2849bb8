"""The github renderer: commands that GitHub reads, and nothing else a file could smuggle in."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qflow.diagnostics import Diagnostic, Label, Span
from qflow.diagnostics.renderers.github import Github

AT = Span("x.qf", 3, 9, 3, 14)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_command_per_finding_the_worst_first() -> None:
    found = [
        Diagnostic("QF304", "no lock", severity="note"),
        Diagnostic("QF504", "lowered", at=AT, severity="warning"),
        Diagnostic("QF201", "this matches no module", at=AT, notes=("near: `a`",), help="mend"),
    ]
    assert Github().render(found, {}).splitlines() == [
        "::error file=x.qf,line=3,col=9,endColumn=13,title=QF201::"
        "this matches no module%0Anear: `a`%0Ahelp: mend",
        "::warning file=x.qf,line=3,col=9,endColumn=13,title=QF504::lowered",
        "::notice title=QF304::no lock",
    ]


def test_second_places_are_in_the_text() -> None:
    found = Diagnostic("QF222", "they differ", at=AT, also=(Label(Span("y.qf", 1, 2, 1, 3), "b"),))
    assert Github().render([found], {}).endswith("::they differ%0Ay.qf:1:2: b\n")


def test_a_range_of_lines_has_no_columns() -> None:
    found = Diagnostic("QF103", "open", at=Span("x.qf", 3, 9, 5, 2))
    assert "line=3,endLine=5,title" in Github().render([found], {})


def test_an_empty_range_is_a_column() -> None:
    found = Diagnostic("QF115", "nothing", at=Span("x.qf", 1, 1, 1, 1))
    assert "col=1,endColumn=1," in Github().render([found], {})


def test_what_is_allowed_and_nothing_are_silent() -> None:
    assert Github().render([Diagnostic("QF205", "twice", allowed="yes")], {}) == ""
    assert Github().render([], {}) == ""


def test_paths_are_those_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    for path in ("x.qf", "../sub/x.qf", (tmp_path / "sub" / "x.qf").as_posix()):
        text = Github().render([Diagnostic("QF201", "m", at=Span(path, 1, 1, 1, 2))], {})
        assert text.startswith("::error file=sub/x.qf,")
    outside = Github().render([Diagnostic("QF201", "m", at=Span("/else/x.qf", 1, 1, 1, 2))], {})
    assert outside.startswith("::error file=/else/x.qf,")


COMMAND = re.compile(r"::(error|warning|notice) ((?:\w+=[^:,\r\n]*,?)+)::([^\r\n]*)\n")


def unescaped(text: str) -> str:
    for code, sign in (("%0A", "\n"), ("%0D", "\r"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, sign)
    return text


@settings(max_examples=30)
@given(st.text(), st.text(min_size=1).filter(lambda t: "\x00" not in t))
def test_any_text_stays_one_command(message: str, name: str) -> None:
    found = Diagnostic("QF201", message, at=Span(f"a/{name}.qf", 1, 1, 1, 2))
    match = COMMAND.fullmatch(Github().render([found], {}))
    assert match
    properties = dict(p.split("=", 1) for p in match[2].split(","))
    assert set(properties) == {"file", "line", "col", "endColumn", "title"}
    if message.isprintable():
        assert unescaped(match[3]) == message
