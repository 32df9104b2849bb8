"""select: a selector becomes the addresses it covers; what covers nothing is a finding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qflow import registry
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.plan.address import matches, nearest
from qflow.plan.inventory import Inventory, Module


@dataclass(frozen=True)
class Selection:
    addresses: tuple[str, ...]
    """In execution order."""
    unmatched: tuple[Diagnostic, ...]
    """QF201 for every part of the selector that covers nothing."""


def select(selector: syntax.Selector, inventory: Inventory, help: str = "") -> Selection:
    """Inputs and outputs are no modules: no selector covers them. `help` is for what is found."""
    modules = [m for m in inventory.modules if m.op not in ("input", "output")]
    # selector functions are QF120 already; they cover nothing and are not reported again
    atoms = [a for a in selector.atoms if not isinstance(a, syntax.Call)]
    excluded = [a for a in selector.excluded if not isinstance(a, syntax.Call)]
    unmatched = [_nothing(a, modules, help) for a in (*atoms, *excluded) if not _any(a, modules)]
    covered = [m for m in modules if any(_covers(a, m) for a in atoms)]
    kept = tuple(m.address for m in covered if not any(_covers(a, m) for a in excluded))
    if covered and not kept:
        message = "`except` takes away everything this selector covers"
        unmatched.append(Diagnostic("QF201", message, at=selector.span))
    return Selection(kept, tuple(unmatched))


def has_calls(selector: syntax.Selector) -> bool:
    return any(isinstance(a, syntax.Call) for a in (*selector.atoms, *selector.excluded))


def _any(atom: syntax.Atom, modules: Sequence[Module]) -> bool:
    return any(_covers(atom, m) for m in modules)


def _covers(atom: syntax.Atom, module: Module) -> bool:
    match atom:
        case syntax.ByName(pattern=pattern):
            return matches(pattern, module.address)
        case syntax.ByType(type=type_, within=within):
            named = type_.rpartition(".")[2] == module.type.rpartition(".")[2]
            return named and (within is None or matches(within, module.address))
        case syntax.ByOp(op=op, within=within):
            return op == module.op and (within is None or matches(within, module.address))
        case syntax.Call():
            return False


def _nothing(atom: syntax.Atom, modules: Sequence[Module], help: str) -> Diagnostic:
    return Diagnostic(
        "QF201",
        "this matches no module",
        at=atom.span,
        label="the model has nothing like this",
        notes=tuple(_notes(atom, modules)),
        help=help,
    )


def _notes(atom: syntax.Atom, modules: Sequence[Module]) -> Iterator[str]:
    match atom:
        case syntax.ByName(pattern=pattern):
            yield from _near(nearest(pattern, [m.address for m in modules]))
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
