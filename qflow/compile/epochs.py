"""epochs: when a statement of a stage begins; epochs count from 0."""

from collections.abc import Iterator, Sequence

from qflow.compile.values import INTEGER, outside, wrong_kind
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax

Timed = syntax.SetState | syntax.Freeze


def begin(statement: Timed) -> int:
    """The first epoch a statement holds in; 0 where it does not say, or says it wrongly."""
    written = statement.from_epoch
    value = None if written is None else INTEGER.of(written)
    return max(value or 0, 0)


def problems(
    statements: Sequence[syntax.StageStatement], epochs: int, trains: bool
) -> Iterator[Diagnostic]:
    """QF113 and QF111 for an epoch that is none, QF270 for statements without effect."""
    for statement in statements:
        if isinstance(statement, syntax.Field):
            continue
        if isinstance(statement, syntax.Freeze) and statement.what != "scale" and not trains:
            yield Diagnostic(
                "QF270",
                f"`freeze {statement.what}` says nothing: this stage does not train",
                at=statement.span,
                help="write it into the stage that trains",
                severity="warning",
            )
        if statement.from_epoch is not None:
            yield from _epoch(statement.from_epoch, epochs)


def _epoch(written: syntax.Value, epochs: int) -> Iterator[Diagnostic]:
    value = INTEGER.of(written)
    if value is None:
        yield wrong_kind("from epoch", INTEGER, written)
    elif value < 0:
        yield outside("from epoch", "0 or more", written)
    elif value and value >= epochs:
        last = f"its last epoch is {epochs - 1}" if epochs else "it has no epochs"
        yield Diagnostic(
            "QF270",
            f"epoch {value} never comes in this stage: {last}",
            at=written.span,
            notes=("epochs count from 0",),
            help="the statement has no effect",
            severity="warning",
        )
