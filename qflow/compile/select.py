"""select: a selector becomes the addresses it covers; what covers nothing is a finding."""

from collections.abc import Iterator, Sequence

from qflow import registry
from qflow.diagnostics import Diagnostic
from qflow.diagnostics.meant import respelled
from qflow.lang import syntax
from qflow.plan.address import nearest
from qflow.plan.inventory import Inventory, Module
from qflow.records import dataclass


@dataclass(frozen=True)
class Selection:
    addresses: tuple[str, ...]
    """In execution order."""
    unmatched: tuple[Diagnostic, ...]
    """QF201 for every part of the selector that covers nothing."""


def select(selector: syntax.Selector, inventory: Inventory, help: str = "") -> Selection:
    """Inputs and outputs are no modules: no selector covers them. `help` is for what is found."""
    # selector functions are QF120 already; they cover nothing and are not reported again
    atoms = [a for a in selector.atoms if not isinstance(a, syntax.Call)]
    excluded = [a for a in selector.excluded if not isinstance(a, syntax.Call)]
    wanted = [_covered(a, inventory) for a in atoms]
    taken = [_covered(a, inventory) for a in excluded]
    unmatched = [
        _nothing(atom, inventory.inner, help)
        for atom, found in zip((*atoms, *excluded), (*wanted, *taken), strict=True)
        if not found
    ]
    covered = wanted[0] if len(wanted) == 1 else sorted(set().union(*wanted))
    out = set().union(*taken)
    kept = [p for p in covered if p not in out] if out else covered
    if covered and not kept:
        message = "`except` takes away everything this selector covers"
        unmatched.append(Diagnostic("QF201", message, at=selector.span))
    return Selection(_addresses(kept, inventory), tuple(unmatched))


def has_calls(selector: syntax.Selector) -> bool:
    return any(isinstance(a, syntax.Call) for a in (*selector.atoms, *selector.excluded))


def _covered(atom: syntax.Atom, inventory: Inventory) -> Sequence[int]:
    """Positions among the inner modules, ascending."""
    modules = inventory.inner
    match atom:
        case syntax.ByName(pattern=pattern):
            return inventory.index.covered(pattern)
        case syntax.ByType(type=type_, within=within):
            last = type_.rpartition(".")[2]
            places = _within(within, inventory)
            return [p for p in places if modules[p].type.rpartition(".")[2] == last]
        case syntax.ByOp(op=op, within=within):
            return [p for p in _within(within, inventory) if modules[p].op == op]
        case syntax.Call():
            return ()


def _within(pattern: str | None, inventory: Inventory) -> Sequence[int]:
    everywhere = range(len(inventory.inner))
    return everywhere if pattern is None else inventory.index.covered(pattern)


def _addresses(positions: Sequence[int], inventory: Inventory) -> tuple[str, ...]:
    every = inventory.index.addresses
    return every if len(positions) == len(every) else tuple(every[p] for p in positions)


def _nothing(atom: syntax.Atom, modules: Sequence[Module], help: str) -> Diagnostic:
    named = isinstance(atom, syntax.ByName)
    near = nearest(_pattern(atom), [m.address for m in modules]) if named else ()
    return Diagnostic(
        "QF201",
        "this matches no module",
        at=atom.span,
        label="the model has nothing like this",
        notes=tuple(_near(near) if named else _notes(atom, modules)),
        help=help,
        about=_pattern(atom),
        edits=respelled(atom.span, _pattern(atom), near),
    )


def _pattern(atom: syntax.Atom) -> str:
    """What stays of a selector when its line moves."""
    match atom:
        case syntax.ByName(pattern=pattern):
            return pattern
        case syntax.ByType(type=word, within=within) | syntax.ByOp(op=word, within=within):
            return word if within is None else f"{word} in {within}"
        case syntax.Call(function=function):
            return function


def _notes(atom: syntax.Atom, modules: Sequence[Module]) -> Iterator[str]:
    match atom:
        case syntax.ByType(type=word, within=within):
            types = tuple(sorted({m.type for m in modules}))
            yield from _word(word, types, within, modules)
        case syntax.ByOp(op=word, within=within):
            ops = tuple(sorted({m.op for m in modules}))
            yield from _word(word, ops, within, modules)


def _word(
    word: str, words: tuple[str, ...], within: str | None, modules: Sequence[Module]
) -> Iterator[str]:
    if word not in words:
        yield from _near(registry.nearest(word, words) or words)
    elif within is not None:
        yield f"the model has `{word}`, but not in `{within}`"
        yield from _near(nearest(within, [m.address for m in modules]))


def _near(found: Sequence[str]) -> Iterator[str]:
    if found:
        yield f"the nearest are {', '.join(f'`{f}`' for f in found)}"
