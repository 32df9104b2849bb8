"""Rename of a param: every use, nothing else, and reasons for what is refused."""

import pytest

from qflow.diagnostics import Edit, Span
from qflow.lsp.rename import Refused, applied, rename
from tests.lsp.known import CURSOR, digits

TEXT = """\
qflow 1
param n: int = 3 in 0..9
param bits: dtype = int8
param low: qconfig = w8a8
model m { args = {n: n, other: [n, 1]}; input = {n: float32[n, 3, n]} }
data n { loader = "n"; samples = n }
qconfig bits { base = low; act.dtype = bits; weight.dtype = int8 }
rules n { default use w8a8 }
quantize { default use low; match sensitive(n, top = n) expect 2 use bits; apply n }
schedule { stage n on n epochs n { lr = n; freeze bn "n" from epoch n } }
check { assert output.n is bits on n; assert cosine(n) >= n }  # n
sweep n { n = [1, 2]; bits = [int8] }
"""


def renamed(old: str, new: str) -> str:
    text = TEXT.replace(f"param {old}:", f"param {old}{CURSOR}:")
    known, line, column = digits(text)
    (edits,) = rename(known, line, column, new).values()
    return applied(TEXT, edits)


def test_uses_and_nothing_else() -> None:
    assert renamed("n", "count") == (
        """\
qflow 1
param count: int = 3 in 0..9
param bits: dtype = int8
param low: qconfig = w8a8
model m { args = {n: count, other: [count, 1]}; input = {n: float32[count, 3, count]} }
data n { loader = "n"; samples = count }
qconfig bits { base = low; act.dtype = bits; weight.dtype = int8 }
rules n { default use w8a8 }
quantize { default use low; match sensitive(n, top = count) expect 2 use bits; apply n }
schedule { stage n on n epochs count { lr = count; freeze bn "n" from epoch count } }
check { assert output.n is bits on n; assert cosine(n) >= count }  # n
sweep n { count = [1, 2]; bits = [int8] }
"""
    )


def test_a_param_may_name_a_qconfig_and_a_dtype() -> None:
    assert "default use lower; match" in renamed("low", "lower")
    assert "base = lower" in renamed("low", "lower")
    text = renamed("bits", "width")
    assert "act.dtype = width" in text
    assert "is width on n" in text
    # a rule that says `use bits` means the param: it is put in first
    assert "use width; apply" in text


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("bits", "there is a param `bits` already, in line 3"),
        ("n", "is called `n` already"),
        ("a b", "is no name"),
        ("", "is no name"),
        ("3", "is no name"),
        ("n.m", "is no name"),
        ("é", "is no name"),
        ("int8", "line 7 says `int8`"),
        ("w8a8", "line 8 says `w8a8`"),
        ("false", "is a value"),
    ],
)
def test_names_that_would_not_do(new: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        renamed("n", new)


@pytest.mark.parametrize("place", ["data n", "rules n", "stage n", "sweep n", "qflow", "model m"])
def test_what_is_no_param_is_refused(place: str) -> None:
    known, line, column = digits(TEXT.replace(place, place + CURSOR))
    with pytest.raises(Refused, match="only a param"):
        rename(known, line, column, "new")


def test_edits_are_applied_from_the_end() -> None:
    edits = tuple(
        Edit(Span("x", line, column, end_line, end), text)
        for line, column, end_line, end, text in (
            (1, 1, 1, 2, "xx"),
            (1, 3, 2, 2, ""),
            (2, 3, 2, 3, "!"),
        )
    )
    assert applied("abcd\nefg\nh", edits) == "xxbf!g\nh"
