"""region: what lies between the quant and dequant stubs; only that becomes integer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic, Span
from qflow.plan import op_facts
from qflow.plan.inventory import Inventory, Module

QUANT, DEQUANT = "quant", "dequant"
SOURCES = (QUANT, "constant")
"""Operators at which a grid begins."""
_BORDER = ("input", "output")


def find(unit: Unit) -> Unit:
    """Sets `region`. QF120 for operators outside it and float tensors that enter or leave it."""
    if unit.inventory is None:
        return unit
    inventory = unit.inventory
    behind = _reached(inventory, SOURCES, inventory.users, (DEQUANT,))
    between = behind & _reached(inventory, (DEQUANT,), inventory.sources, SOURCES)
    region = tuple(m.address for m in inventory.modules if m.address in between)
    at = dict(unit.model.fields).get("entry", unit.model.at) if unit.model else None
    unit = replace(unit, region=region)
    return unit.having(_problems(inventory, set(region), at))


def _reached(
    inventory: Inventory,
    starts: Sequence[str],
    steps: Mapping[str, Sequence[str]],
    ends: Sequence[str],
) -> set[str]:
    """Addresses reached from every one of `starts`, not walking past one of `ends`."""
    found = {m.address for m in inventory.modules if m.op in starts}
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


def _problems(inventory: Inventory, region: set[str], at: Span | None) -> Iterator[Diagnostic]:
    ops = {m.op for m in inventory.modules}
    if not {QUANT, DEQUANT} <= ops:
        missing = "QuantStub" if QUANT not in ops else "DeQuantStub"
        yield Diagnostic(
            "QF120",
            f"a model without a {missing} is not supported yet",
            at=at,
            help="put a QuantStub behind every input and a DeQuantStub before every output",
        )
        return
    tail = tails(inventory)
    here = region | tail
    outside = [m for m in inventory.modules if m.address not in here and m.op not in _BORDER]
    used = _reached(inventory, ("output",), inventory.sources, ("input",))
    if idle := [m.address for m in outside if m.address not in used]:
        yield Diagnostic(
            "QF120",
            "operators whose result no output uses are not supported yet",
            at=at,
            notes=(f"these are {listed(idle)}",),
            help="take them out of `forward`",
        )
        return
    if outside:
        yield Diagnostic(
            "QF120",
            "operators outside the quant and dequant stubs are not supported yet",
            at=at,
            notes=(f"outside are {listed([m.address for m in outside])}",),
            help="move them between the stubs, or out of the model",
        )
        return
    for module in inventory.modules:
        yield from _crossing(inventory, module, tail, at)


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
    inventory: Inventory, module: Module, tail: set[str], at: Span | None
) -> Iterator[Diagnostic]:
    """A float tensor where an integer one belongs, or the other way round."""
    sources = [inventory.by_address[a] for a in inventory.sources[module.address]]
    if module.op == "output":
        for source in sources:
            if source.op != DEQUANT and source.address not in tail:
                text = f"`{module.address}` is returned by `{source.address}` without a DeQuantStub"
                yield Diagnostic("QF120", f"{text}, which is not supported yet", at=at)
        return
    if module.op in (QUANT, "input") or module.address in tail:
        return
    for source in sources:
        if source.op in ("input", DEQUANT):
            text = f"`{module.address}` reads the float tensor `{source.address}`"
            yield Diagnostic(
                "QF120",
                f"{text}, which is not supported yet",
                at=at,
                help="put a QuantStub between them",
            )


def listed(addresses: Sequence[str], most: int = 6) -> str:
    """`a`, `b` and 3 more."""
    shown = ", ".join(f"`{a}`" for a in addresses[:most])
    return shown + (f" and {len(addresses) - most} more" if len(addresses) > most else "")
