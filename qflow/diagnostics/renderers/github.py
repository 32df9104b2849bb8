"""github: workflow commands, which GitHub shows as annotations of the lines they are about."""

from collections.abc import Iterable, Mapping

from qflow.diagnostics import Diagnostic, Label, Span
from qflow.diagnostics.renderers._places import Repository
from qflow.diagnostics.renderers._words import lines, safe, worst_first

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


class Github:
    """`::error file=x.qf,line=3,col=9,title=QF201::...`; paths from the root of the repository."""

    def render(
        self,
        diagnostics: Iterable[Diagnostic],
        sources: Mapping[str, str],
        *,
        color: bool = False,
    ) -> str:
        """A line per finding, the worst first: of each kind GitHub shows the first few of a step.

        What a comment in the file allows is left out.
        """
        repository = Repository()
        shown = worst_first(d for d in diagnostics if not d.allowed)
        return "".join(f"{_command(d, repository)}\n" for d in shown)


def _command(d: Diagnostic, repository: Repository) -> str:
    place = _place(d.at, repository) if d.at is not None else {}
    told = [*lines(d), *(_second(label, repository) for label in d.also)]
    properties = ",".join(f"{k}={_property(v)}" for k, v in {**place, "title": d.code}.items())
    return f"::{_COMMANDS[d.severity]} {properties}::{_data(chr(10).join(told))}"


def _second(label: Label, repository: Repository) -> str:
    span = label.span
    return f"{repository.shown(span.path)}:{span.line}:{span.column}: {label.text}"


def _place(span: Span, repository: Repository) -> dict[str, str]:
    place = {"file": repository.shown(span.path), "line": str(max(span.line, 1))}
    if span.end_line > span.line:
        # columns are for a range inside of one line
        return {**place, "endLine": str(span.end_line)}
    column = max(span.column, 1)
    # here the last column is part of the range
    return {**place, "col": str(column), "endColumn": str(max(span.end_column - 1, column))}


def _data(text: str) -> str:
    return safe(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
