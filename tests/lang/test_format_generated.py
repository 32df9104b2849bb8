"""Any program written in any layout has one canonical form, with every comment of it."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qflow.lang import syntax
from qflow.lang.comments import Source
from qflow.lang.format import format_text
from qflow.lang.grammar import parser
from qflow.lang.parse import parse
from qflow.lang.printer import show
from qflow.lang.split import split
from tests.lang.programs import files

quick = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
SPACES = ("", " ", "  ", "\t", " \t ")


def ragged(text: str, rng: random.Random) -> str:
    """The same tokens with other spaces, line ends, blank lines and comments between them."""
    pieces = ["# first\n" if rng.random() < 0.3 else "", "qflow 1", _end(rng)]
    for chunk in split(text)[1:]:
        interactive = parser().parse_interactive(chunk.text, start="item")
        before = ""
        for token in interactive.iter_parse():
            if token.type == "_NL":
                pieces.append(_end(rng))
            elif token.type == "SEMICOLON":
                pieces += [rng.choice(SPACES), ";", rng.choice(SPACES)]
            else:
                apart = before[-1:].isalnum() and token[:1].isalnum()
                pieces += [rng.choice(SPACES[1:] if apart or before == "_" else SPACES), token]
                if before.endswith("_") or token.startswith("_"):
                    pieces.insert(-1, " ")
            before = str(token)
        pieces.append(_end(rng))
    return "".join(pieces)


def _end(rng: random.Random) -> str:
    """A line end with what may stand around it."""
    comment = rng.choice(["", "", "", '# "why" {', "#", "#  \u6f22 "])
    blank = "".join(f"{rng.choice(SPACES)}\n" for _ in range(rng.choice((0, 0, 0, 1, 3))))
    own = f"{rng.choice(SPACES)}# own [\n" if rng.random() < 0.15 else ""
    return f"{rng.choice(SPACES)}{comment}\n{blank}{own}{rng.choice(SPACES)}"


def comments(text: str) -> list[str]:
    return Source(text).all_comments()


@quick
@given(files, st.integers(0, 2**32))
def test_every_layout_is_formatted_and_loses_nothing(file: syntax.File, seed: int) -> None:
    text = ragged(show(file), random.Random(seed))
    assert parse(text, "p.qf").file == file
    once = format_text(text, "p.qf")
    assert parse(once, "p.qf").file == file
    assert format_text(once, "p.qf") == once
    assert comments(once) == comments(text)


@quick
@given(files, st.integers(0, 2**32))
def test_line_ends_and_a_byte_order_mark_make_no_difference(file: syntax.File, seed: int) -> None:
    rng = random.Random(seed)
    text = ragged(show(file), rng)
    lines = text.split("\n")
    mixed = lines[0]
    for line in lines[1:]:
        # `\r` and an empty line that ends with `\n` would be one line end
        mixed += rng.choice(("\n", "\r\n", "\r") if line else ("\n", "\r\n")) + line
    assert format_text("\ufeff" + mixed, "p.qf") == format_text(text, "p.qf")


def test_the_layout_is_another() -> None:
    text = "qflow 1\nmodel m { a = 1; b = [1, 2] }\n"
    made = {ragged(text, random.Random(seed)) for seed in range(20)}
    assert len(made) == 20
    assert any(comments(text) for text in made)
