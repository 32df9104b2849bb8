"""region: what lies between the quant and dequant stubs; only that becomes integer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from qflow.compile import whole
from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic, Span
from qflow.plan import op_facts
from qflow.plan.inventory import Inventory, Module

QUANT, DEQUANT = "quant", "dequant"
SOURCES = (QUANT, "constant")
"""Operators at which a grid begins."""
_BORDER = ("input", "output")


def find(unit: Unit) -> Unit:
    """Sets `region` and `outside`.

    QF278 for operators outside of the stubs, which run on floats, and where stubs are missing.
    """
    if unit.inventory is None:
        return unit
    inventory = unit.inventory
    at = dict(unit.model.fields).get("entry", unit.model.at) if unit.model else None
    behind = _reached(inventory, _having(inventory, SOURCES), inventory.users, (DEQUANT,))
    places = _places(inventory)
    ends = (*_having(inventory, (DEQUANT,)), *places)
    between = behind & _reached(inventory, ends, inventory.sources, SOURCES)
    if missing := _missing(inventory, places):
        ordered = tuple(m.address for m in inventory.modules if m.address in between)
        return replace(unit, region=ordered).having([_without(missing, at)])
    used = _reached(inventory, _having(inventory, ("output",)), inventory.sources, ("input",))
    apart = between | tails(inventory) | whole.numbers(inventory, unit.model)
    outside = [m.address for m in inventory.modules if m.op not in _BORDER]
    outside = [a for a in outside if a not in apart]
    floats = [a for a in outside if a in used]
    region = between.union(floats)
    ordered = tuple(m.address for m in inventory.modules if m.address in region)
    ints, ports = between.difference(places), whole.ports(unit.model)
    problems = (
        *_idle([a for a in outside if a not in used], at),
        *_outside(floats, at),
        *(d for m in inventory.modules for d in _crossing(inventory, m, ints, ports, at)),
    )
    return replace(unit, region=ordered, outside=frozenset(floats)).having(problems)


def _having(inventory: Inventory, ops: Sequence[str]) -> tuple[str, ...]:
    return tuple(m.address for m in inventory.modules if m.op in ops)


def _places(inventory: Inventory) -> tuple[str, ...]:
    """What picks places among integers, and whose result leaves as it is: whole numbers."""
    outputs = _having(inventory, ("output",))
    leaving = dict.fromkeys(a for o in outputs for a in inventory.sources[o])
    ops = {a: inventory.by_address[a].op for a in leaving}
    picks = op_facts.gives_indices
    return tuple(a for a in leaving if picks(ops[a]) or op_facts.index_part(ops[a]) is not None)


def _missing(inventory: Inventory, places: tuple[str, ...]) -> str:
    """The stub there is none of; a trace gives a model that has neither those it needs."""
    if QUANT not in {m.op for m in inventory.modules}:
        return "QuantStub"
    return "" if places or _having(inventory, (DEQUANT,)) else "DeQuantStub"


def _without(missing: str, at: Span | None) -> Diagnostic:
    return Diagnostic(
        "QF278",
        f"the model has no {missing}, so nothing lies between stubs",
        at=at,
        help="put a QuantStub behind every input and a DeQuantStub before every output",
    )


def _reached(
    inventory: Inventory,
    starts: Sequence[str],
    steps: Mapping[str, Sequence[str]],
    ends: Sequence[str],
) -> set[str]:
    """Addresses reached from every one of `starts`, not walking past operators of `ends`."""
    found = set(starts)
    waiting = list(found)
    while waiting:
        address = waiting.pop()
        if inventory.by_address[address].op in ends:
            continue
        for other in steps[address]:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _idle(addresses: list[str], at: Span | None) -> Iterator[Diagnostic]:
    if addresses:
        yield Diagnostic(
            "QF278",
            "what these operators compute reaches no output: the integer model leaves them out",
            at=at,
            notes=(f"these are {listed(addresses)}",),
            help="take them out of `forward`",
            severity="warning",
        )


def _outside(addresses: list[str], at: Span | None) -> Iterator[Diagnostic]:
    if addresses:
        yield Diagnostic(
            "QF278",
            "operators outside of the quant and dequant stubs run on floats, whatever rules say",
            at=at,
            notes=(f"outside are {listed(addresses)}",),
            help="move them between the stubs, or out of the model",
            severity="warning",
        )


def tails(inventory: Inventory) -> set[str]:
    """Layout operators behind a dequantize that lead to outputs only: they move integers."""
    found: set[str] = set()
    for module in inventory.modules:
        sources = [inventory.by_address[a] for a in inventory.sources[module.address]]
        if len(sources) != 1 or module.calls != 1 or not op_facts.rearranges(module.op):
            continue
        if sources[0].op == DEQUANT or sources[0].address in found:
            found.add(module.address)
    while wrong := {a for a in found if not _leads_out(inventory, a, found)}:
        found -= wrong
    return found


def _leads_out(inventory: Inventory, address: str, tail: set[str]) -> bool:
    users = inventory.users[address]
    return bool(users) and all(u in tail or inventory.by_address[u].op == "output" for u in users)


def _crossing(
    inventory: Inventory,
    module: Module,
    ints: set[str],
    ports: frozenset[str],
    at: Span | None,
) -> Iterator[Diagnostic]:
    """A float tensor where an integer one is expected, or the other way round."""
    sources = [inventory.by_address[a] for a in inventory.sources[module.address]]
    if module.op == "output":
        for source in sources:
            if source.address in ints and source.op != DEQUANT:
                yield Diagnostic(
                    "QF278",
                    f"`{module.address}` is returned by `{source.address}` without a DeQuantStub",
                    at=at,
                    help="put a DeQuantStub between them",
                )
        return
    if module.op == QUANT or module.address not in ints:
        return
    for source in sources:
        if source.op in ("input", DEQUANT) and source.address not in ports:
            yield Diagnostic(
                "QF278",
                f"`{module.address}` reads the float tensor `{source.address}`",
                at=at,
                notes=("it is brought onto a grid there, one more for this reader",),
                help="put a QuantStub between them",
                severity="warning",
            )


def listed(addresses: Sequence[str], most: int = 6) -> str:
    """`a`, `b` and 3 more."""
    shown = ", ".join(f"`{a}`" for a in addresses[:most])
    return shown + (f" and {len(addresses) - most} more" if len(addresses) > most else "")
