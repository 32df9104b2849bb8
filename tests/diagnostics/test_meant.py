"""meant: one slip, one name; never a guess at a digit."""

import pytest

from qflow.diagnostics import Span
from qflow.diagnostics.meant import meant, respelled


@pytest.mark.parametrize(
    ("word", "known", "name"),
    [
        ("stme", ["stem", "head"], "stem"),
        ("percentil", ["percentile", "mse"], "percentile"),
        ("percentilee", ["percentile", "mse"], "percentile"),
        ("persentile", ["percentile", "mse"], "percentile"),
        ("ercentile", ["percentile"], "percentile"),
        ("MinMax", ["minmax"], "minmax"),
        ("act.dtyp", ["act.dtype", "act.scheme"], "act.dtype"),
        # two slips, two names, too short, the word itself
        ("prcentil", ["percentile"], None),
        ("cat", ["bat", "hat"], None),
        ("lo", ["lr"], None),
        ("calib", ["calib"], None),
        # digits are no letters
        ("int7", ["int4", "int8"], None),
        ("int7", ["int8"], None),
        ("w8a9", ["w8a8"], None),
        ("block1", ["block"], None),
        ("block", ["block1"], None),
        ("layers.12", ["layers.21"], None),
        ("layesr.12", ["layers.12", "layers.21"], "layers.12"),
    ],
)
def test_meant(word: str, known: list[str], name: str | None) -> None:
    assert meant(word, known) == name


def test_the_edit_keeps_quotes_and_needs_the_word_itself() -> None:
    (plain,) = respelled(Span("x.qf", 1, 5, 1, 9), "stme", ["stem"])
    (quoted,) = respelled(Span("x.qf", 1, 5, 1, 11), "stme", ["stem"])
    assert (plain.text, quoted.text) == ("stem", '"stem"')
    assert respelled(Span("x.qf", 1, 5, 1, 30), "stme", ["stem"]) == ()
    assert respelled(Span("x.qf", 1, 5, 2, 9), "stme", ["stem"]) == ()
