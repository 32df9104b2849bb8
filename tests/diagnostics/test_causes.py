"""One mistake is one finding."""

from qflow.diagnostics import Diagnostic, Edit, Span
from qflow.diagnostics.causes import once


def at(line: int) -> Span:
    return Span("x.qf", line, 3, line, 6)


def unknown(line: int, name: str = "val") -> Diagnostic:
    return Diagnostic("QF110", f"there is no `{name}`", at(line), edits=(Edit(at(line), "new"),))


def test_a_name_at_several_places_is_one_finding_with_all_edits() -> None:
    (found,) = once([unknown(9), unknown(2), unknown(5), unknown(2)])
    assert found.at == at(2)
    assert [(label.span, label.text) for label in found.also] == [
        (at(5), "and here"),
        (at(9), "and here"),
    ]
    assert [e.span for e in found.edits] == [at(2), at(5), at(9)]


def test_other_names_files_and_ids_stay() -> None:
    elsewhere = Diagnostic("QF110", "there is no `val`", Span("y.qf", 2, 3, 2, 6))
    same_words = [Diagnostic("QF201", "this matches no module", at(n)) for n in (1, 2)]
    nowhere = Diagnostic("QF110", "there is no `val`")
    found = (unknown(2), unknown(3, "vla"), elsewhere, *same_words, nowhere)
    assert once(found) == found


def test_what_follows_from_another_is_left_out() -> None:
    error = Diagnostic("QF501", "int4 cannot be", at(4))
    note = Diagnostic("QF223", "it stays on its own", at(4), severity="note")
    other = Diagnostic("QF223", "it stays on its own", at(5), severity="note")
    assert once([note, error, other]) == (error, other)


def test_again_changes_nothing() -> None:
    found = once([unknown(2), unknown(5)])
    assert once(found) == found
