"""structure: whether a lock still describes the model that was traced."""

from collections.abc import Iterable
from pathlib import Path

from qflow.diagnostics import Diagnostic, Span, fail
from qflow.plan.inventory import Inventory
from qflow.plan.lock import Lock
from qflow.plan.lock_line import edge_line, module_line

_SHOWN = 5
"""Changed lines named in the message; the rest is counted."""


def refuse_stale(lock: Lock, traced: Inventory, path: Path, at: Span | None) -> None:
    """Raises QflowError QF301, naming what changed, when they differ."""
    before, after = _lines(lock.inventory), _lines(traced)
    if before == after:
        return
    gone, new = _without(before, after), _without(after, before)
    raise fail(
        Diagnostic(
            "QF301",
            f"the lock of `{path.as_posix()}` is not of this model",
            at=at,
            notes=(*_listed("only in the lock", gone), *_listed("only in the model", new)),
            help=f"run `qflow lock {path.as_posix()}` and review what changed",
        )
    )


def _lines(inventory: Inventory) -> tuple[str, ...]:
    """What a lock says of the model, one fact per line."""
    edges = (edge_line(e) for e in sorted(inventory.edges))
    return tuple(" ".join(line) for line in (*map(module_line, inventory.modules), *edges))


def _without(lines: Iterable[str], others: Iterable[str]) -> list[str]:
    known = set(others)
    return [line for line in lines if line not in known]


def _listed(what: str, lines: list[str]) -> tuple[str, ...]:
    shown = tuple(f"{what}: {line}" for line in lines[:_SHOWN])
    more = len(lines) - _SHOWN
    return (*shown, f"{what}: {more} more") if more > 0 else shown
