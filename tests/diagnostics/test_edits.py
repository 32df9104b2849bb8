"""Edits: made all at once, never two at the same place, line ends kept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qflow.diagnostics import Diagnostic, Edit, Span
from qflow.diagnostics.edits import apply, together


def edit(line: int, column: int, end_line: int, end_column: int, text: str) -> Edit:
    return Edit(Span("x.qf", line, column, end_line, end_column), text)


@pytest.mark.parametrize(
    ("edits", "after"),
    [
        ([edit(1, 1, 1, 4, "ONE")], "ONE\ntwo\nthree"),
        ([edit(2, 1, 3, 1, "")], "one\nthree"),
        ([edit(3, 1, 4, 1, "")], "one\ntwo\n"),
        ([edit(2, 4, 2, 4, "!")], "one\ntwo!\nthree"),
        ([edit(2, 99, 2, 99, "!")], "one\ntwo!\nthree"),
        ([edit(3, 1, 3, 3, "t"), edit(1, 4, 1, 4, "\n#")], "one\n#\ntwo\ntree"),
        ([edit(9, 1, 9, 1, "!")], "one\ntwo\nthree!"),
        ([], "one\ntwo\nthree"),
    ],
)
def test_apply(edits: list[Edit], after: str) -> None:
    assert apply("one\ntwo\nthree", edits) == after
    # other line ends and a mark in front are kept
    marked = "\ufeffone\r\ntwo\r\nthree"
    assert apply(marked, edits) == "\ufeff" + after.replace("\n", "\r\n")


def test_mixed_line_ends_stay() -> None:
    assert apply("a\r\nb\nc\rd\n", [edit(3, 1, 3, 2, "C\n")]) == "a\r\nb\nC\r\n\rd\n"


def finding(*edits: Edit) -> Diagnostic:
    return Diagnostic("QF110", str(len(edits)), edits=edits)


def test_what_touches_waits() -> None:
    first = finding(edit(1, 1, 1, 4, "a"))
    meets = finding(edit(1, 4, 1, 4, "b"))
    inside = finding(edit(1, 2, 1, 3, "c"), edit(2, 1, 2, 2, "d"))
    free = finding(edit(2, 1, 2, 2, "e"))
    assert together([first, meets, inside, free]) == (first, free)


def test_the_same_edit_of_two_findings_is_made_once() -> None:
    same = edit(1, 1, 1, 2, "a")
    both = (Diagnostic("QF190", "a", edits=(same,)), Diagnostic("QF190", "b", edits=(same,)))
    assert together(both) == both
    assert apply("xyz", (e for d in both for e in d.edits)) == "ayz"


def test_other_files_do_not_touch() -> None:
    here = finding(edit(1, 1, 1, 2, "a"))
    there = finding(Edit(Span("y.qf", 1, 1, 1, 2), "a"))
    assert together([here, there]) == (here, there)


@settings(max_examples=100)
@given(
    st.text(alphabet="ab\r\n", max_size=12),
    st.lists(st.tuples(*[st.integers(1, 5)] * 4), max_size=3),
)
def test_without_new_text_nothing_is_added(text: str, places: list[tuple[int, ...]]) -> None:
    spans = [p for p in places if p[:2] <= p[2:]]
    found = [finding(edit(*p, "")) for p in spans]
    after = apply(text, (e for d in together(found) for e in d.edits))
    letters = iter(text)
    assert all(letter in letters for letter in after)
