"""Paths through the graph, for selector functions that name addresses."""

from collections.abc import Callable, Mapping, Sequence

from qflow.compile.selectors._arguments import Positional
from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.plan.address import nearest
from qflow.plan.inventory import Inventory

_BORDER = ("input", "output")


def reached(
    start: Sequence[str], steps: Mapping[str, Sequence[str]], stops: Callable[[str], bool]
) -> set[str]:
    """The start and everything reached from it; an address that stops is reached, not passed."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        found.add(address)
        if not stops(address):
            waiting += steps[address]
    return found


def ordered(inventory: Inventory, addresses: set[str]) -> tuple[str, ...]:
    """In execution order, without inputs and outputs of the model."""
    return tuple(
        m.address for m in inventory.modules if m.address in addresses and m.op not in _BORDER
    )


def missing(argument: Positional, unit: Unit) -> Diagnostic | None:
    """QF204 for an argument that is no address of the model."""
    assert unit.inventory is not None
    known = [m.address for m in unit.inventory.modules if m.op not in _BORDER]
    word = str(argument.value)
    if isinstance(argument, syntax.String) and word in known:
        return None
    near = nearest(word, known)
    return Diagnostic(
        "QF204",
        f"the model has no address `{word}`",
        at=argument.span,
        notes=(f"the nearest are {', '.join(f'`{n}`' for n in near)}",) if near else (),
    )
