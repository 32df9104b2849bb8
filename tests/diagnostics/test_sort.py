"""Diagnostics in the order people read them."""

from qflow.diagnostics import Diagnostic, QflowError, Span, fail, has_errors, sort


def found(code: str, line: int, severity: str = "error") -> Diagnostic:
    return Diagnostic(code, "m", at=Span("a.qf", line, 1, line, 2), severity=severity)  # type: ignore[arg-type]


def test_by_place_then_severity_then_code_and_once() -> None:
    nowhere = Diagnostic("QF302", "m")
    first, second = found("QF203", 2, "warning"), found("QF105", 2)
    third = found("QF201", 9)
    assert sort([third, first, second, third, nowhere]) == (nowhere, second, first, third)


def test_only_errors_are_errors() -> None:
    assert not has_errors([found("QF203", 1, "warning"), found("QF223", 1, "note")])
    assert has_errors([found("QF203", 1, "warning"), found("QF201", 1)])


def test_an_error_says_what_it_holds() -> None:
    error = fail(Diagnostic("QF302", "no file"))
    assert isinstance(error, QflowError)
    assert str(error) == "QF302: no file"
    assert error.exit_code == 2
    told = Diagnostic(
        "QF250", "no `a`", Span("x.qf", 3, 1, 3, 2), notes=("near: `b`",), help="write `b`"
    )
    both = QflowError((told, *error.diagnostics))
    assert (
        str(both) == "QF250: no `a` (x.qf:3:1)\n  = near: `b`\n  = help: write `b`\nQF302: no file"
    )
