"""Generated programs survive print, parse and format; random text never raises."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qflow.diagnostics.renderers.json import Json
from qflow.diagnostics.renderers.text import Text
from qflow.lang import syntax
from qflow.lang.format import format_text
from qflow.lang.parse import parse
from qflow.lang.printer import show
from tests.lang.programs import files

quick = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))

EVERYTHING = """\
qflow 1
use "a.qf" as a
param a: int = 3 in 0..4
model m { a = {b: [1, 2]}; c = float32[N, 3] }
graph { wrap "f"; leaf type a.B in "x.**"; fuse conv + bn in "y" }
rules r { apply s; default float; match "x", op add except f(a = 1) optional patch { a = 1 } }
quantize { match "x" expect 2 use b with { c = 1 } }
schedule { stage s on d epochs 3 { lr = 1; state "**" = qat; freeze bn "**" from epoch 2 } }
check { assert a.b is int32; warn no scale == 1.0 on d; assert f(x) >= 0.5 }
sweep p zip { a = [1, 2] }
export onnx "x" { a = "b" }
"""


def test_the_undamaged_program_parses() -> None:
    assert parse(EVERYTHING, "p.qf").diagnostics == ()


@quick
@given(files)
def test_what_is_printed_parses_to_the_same_tree(file: syntax.File) -> None:
    parsed = parse(show(file), "p.qf")
    assert parsed.diagnostics == ()
    assert parsed.file == file


@quick
@given(files, st.integers(0, 2**32))
def test_formatting_keeps_comments_and_is_stable(file: syntax.File, seed: int) -> None:
    text = commented(show(file), random.Random(seed))
    once = format_text(text, "p.qf")  # runs the three safety checks
    assert parse(once, "p.qf").file == file
    assert format_text(once, "p.qf") == once
    assert "\n\n\n" not in once
    assert all(line == line.rstrip() for line in once.split("\n"))


def commented(text: str, rng: random.Random) -> str:
    """The text with comments and blank lines strewn in."""
    lines: list[str] = []
    for number, line in enumerate(text.split("\n")):
        choice = rng.random()
        if choice < 0.1:
            lines += [""] * rng.randrange(1, 4)
        elif choice < 0.2:
            lines.append(f'   # own {number} {{ " [')
        lines.append(f"{line} # behind {number}" if rng.random() < 0.2 else line)
    return "\n".join(lines)


@quick
@given(st.text(max_size=200))
def test_random_text_never_raises(text: str) -> None:
    examine(text)
    examine(f"qflow 1\n{text}")


@settings(quick, max_examples=150)
@given(st.data())
def test_a_damaged_program_never_raises(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(EVERYTHING)))
    length = data.draw(st.integers(0, 12))
    new = data.draw(
        st.sampled_from(
            ["", "{", "}", "[", "]", '"', "#", "\n", ":", "=", "*", "x ", "match", "'", "é"]
        )
    )
    examine(EVERYTHING[:at] + new + EVERYTHING[at + length :])


def examine(text: str) -> None:
    """Parsing gives a tree or located errors that both renderers can print."""
    parsed = parse(text, "p.qf")
    assert (parsed.file is None) == bool(parsed.diagnostics)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for diagnostic in parsed.diagnostics:
        assert diagnostic.at is not None
        assert 1 <= diagnostic.at.line <= len(lines)
        assert 1 <= diagnostic.at.column <= len(lines[diagnostic.at.line - 1]) + 1
        assert "QF1" in diagnostic.code
    sources = {"p.qf": text}
    assert bool(Text().render(parsed.diagnostics, sources)) == bool(parsed.diagnostics)
    assert Json().render(parsed.diagnostics, sources)
