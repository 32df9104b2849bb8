"""Places of a client and ours, in every encoding, with every kind of line end."""

import random

import pytest
from lsprotocol import types

from qflow.diagnostics import Span
from qflow.lsp.text import Text

LETTERS = ["a", "é", "漢", "\U0001f600", "\u2028", "\x0b", "\x85", "\n", "\r\n", "\r", " "]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_places_go_both_ways(encoding: str) -> None:
    rng = random.Random(3)
    for _ in range(40):
        text = Text("".join(rng.choice(LETTERS) for _ in range(30)), encoding)
        lines = text.normal.split("\n")
        for number, line in enumerate(lines, 1):
            assert text.line(number) == line
            for column in range(1, len(line) + 2):
                assert text.place(text.position(number, column)) == (number, column)


@pytest.mark.parametrize(("encoding", "units"), [("utf-8", 4), ("utf-16", 2), ("utf-32", 1)])
def test_units(encoding: str, units: int) -> None:
    text = Text("\U0001f600x\n", encoding)
    assert text.position(1, 2) == types.Position(0, units)
    # inside a character is before it
    assert text.place(types.Position(0, units - 1)) == (1, 1)
    assert text.range(Span("x", 1, 1, 1, 3)).end == types.Position(0, units + 1)


def test_places_outside_are_the_nearest() -> None:
    text = Text("ab\ncd")
    assert text.place(types.Position(0, 99)) == (1, 3)
    assert text.place(types.Position(99, 0)) == (2, 3)
    assert Text("").place(types.Position(5, 5)) == (1, 1)
    assert text.whole == types.Range(types.Position(0, 0), types.Position(1, 2))


def test_changes_are_those_of_the_client() -> None:
    rng = random.Random(5)
    for _ in range(200):
        text = Text("".join(rng.choice(LETTERS) for _ in range(20)))
        lines = text.normal.split("\n")
        ends = sorted(
            (line, rng.randrange(len(lines[line]) + 1))
            for line in (rng.randrange(len(lines)), rng.randrange(len(lines)))
        )
        start, end = (text.position(line + 1, column + 1) for line, column in ends)
        new = rng.choice(["", "x", "y\nz"])
        after = text.changed(
            types.TextDocumentContentChangePartial(types.Range(start, end), new)
        ).normal
        (first, a), (last, b) = ends
        kept = "\n".join([*lines[:first], lines[first][:a]])
        rest = "\n".join([lines[last][b:], *lines[last + 1 :]])
        assert after == kept + new + rest


def test_a_whole_new_text() -> None:
    change = types.TextDocumentContentChangeWholeDocument("new")
    assert Text("old", "utf-8").changed(change) == Text("new", "utf-8")
