"""said: diagnostics of jobs, from the JSON they come back in."""

from collections.abc import Iterable, Mapping
from typing import Any

from qflow.compile.many import collected
from qflow.diagnostics import Diagnostic, Edit, Label, Span
from qflow.sweep.outcome import Outcome


def errors_of(outcomes: Iterable[Outcome]) -> tuple[Diagnostic, ...]:
    """Of all points, each once, with the names of those that have it."""
    return collected({o.name: _errors(o) for o in outcomes})


def warnings_in(outcomes: Iterable[Outcome]) -> int:
    """How many points have some."""
    return sum(any(d["severity"] == "warning" for d in o.diagnostics) for o in outcomes)


def diagnostic(record: Mapping[str, Any]) -> Diagnostic:
    """The inverse of `record` of the JSON renderer."""
    return Diagnostic(
        code=record["code"],
        message=record["message"],
        at=_span(record["at"]),
        label=record["label"],
        also=tuple(Label(Span(**one["at"]), one["text"]) for one in record["also"]),
        notes=tuple(record["notes"]),
        help=record["help"],
        severity=record["severity"],
        about=record["about"],
        edits=tuple(Edit(Span(**one["at"]), one["text"]) for one in record["edits"]),
        allowed=record["allowed"],
    )


def _errors(outcome: Outcome) -> tuple[Diagnostic, ...]:
    return tuple(diagnostic(d) for d in outcome.diagnostics if d["severity"] == "error")


def _span(place: Mapping[str, Any] | None) -> Span | None:
    return None if place is None else Span(**place)
