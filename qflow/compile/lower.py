"""lower: the dtype of every grid, after scale groups and after what the march lowers."""

from collections.abc import Iterator
from dataclasses import replace

from qflow.compile.region import listed
from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic, Label, Span
from qflow.dtype import DTYPES
from qflow.march import March
from qflow.plan.plan import Decided
from qflow.records import dataclass


def dtypes(unit: Unit) -> Unit:
    """Sets `dtypes`. QF504 for every dtype the march lowers, with its whole scale group."""
    if unit.inventory is None or unit.march is None:
        return unit
    lowering = _Lowering(unit, unit.march)
    while lowering.step():
        pass
    return replace(unit, dtypes=lowering.dtypes).having(lowering.findings())


@dataclass(frozen=True)
class _Lowered:
    """One decision of the march."""

    op: str
    was: Decided
    becomes: str


class _Lowering:
    """Goes over the operators until nothing changes; dtypes only become narrower, so it ends."""

    def __init__(self, unit: Unit, march: March) -> None:
        self._unit = unit
        self._march = march
        self._group = {a: g for g in unit.groups for a in g}
        self._asked = {a: f["act.dtype"] for a, f in unit.running.items() if a not in unit.kept}
        owners = {a: g[0] for g in unit.groups for a in g}
        self.dtypes: dict[str, Decided] = {
            a: self._asked.get(owners.get(a, a), d) for a, d in self._asked.items()
        }
        self._done: dict[_Lowered, list[str]] = {}
        self._said = frozenset(a for g in unit.groups for a in g if self._disagrees(g))
        """Whose group has several dtypes, which is QF224: what it is lowered to says nothing."""

    def step(self) -> bool:
        """Lower whatever the march lowers now; whether anything changed."""
        return any([self._operator(address) for address in self._unit.running])

    def _operator(self, address: str) -> bool:
        op = self._unit.op_at(address)
        support = self._march.support(op)
        if support is None or address in self._unit.kept:
            return False
        sources = self._unit.reads(address)
        if support.lowers:
            changed = [self._lower(s, support.input, op) for s in sources]
            return any([*changed, self._lower(address, support.output, op)])
        if support.same and self._was_lowered(address):
            # operands wider than a lowered output: the hardware has one dtype for all of them
            own = str(self.dtypes[address].value)
            return any([self._narrow(s, own, op) for s in sources])
        return False

    def _was_lowered(self, address: str) -> bool:
        return address in self.dtypes and self.dtypes[address].by is None

    def _lower(self, address: str, allowed: tuple[str, ...], op: str) -> bool:
        """Lower a grid to the widest dtype allowed, if it is wider than all of them."""
        if address not in self.dtypes or not allowed:
            return False
        widest = max(allowed, key=lambda name: DTYPES[name].bits)
        return self._narrow(address, widest, op)

    def _narrow(self, address: str, dtype: str, op: str) -> bool:
        if address not in self.dtypes:
            return False
        was = self.dtypes[address]
        if DTYPES[str(was.value)].bits <= DTYPES[dtype].bits:
            return False
        why = f"{self._march.name}: {op} takes {dtype}"
        for member in self._group.get(address, (address,)):
            if member in self.dtypes:
                self.dtypes[member] = Decided(dtype, why=why)
                event = _Lowered(op, self._asked[member], dtype)
                if member not in self._said:
                    self._done.setdefault(event, []).append(member)
        return True

    def _disagrees(self, group: tuple[str, ...]) -> bool:
        return len({self._asked[a].value for a in group if a in self._asked}) > 1

    def findings(self) -> Iterator[Diagnostic]:
        """One per operator and dtype, with every rule that asked for it."""
        merged: dict[tuple[str, str, str], list[tuple[Span, str]]] = {}
        for event, members in self._done.items():
            key = (event.op, str(event.was.value), event.becomes)
            places = [(event.was.by, m) for m in members if event.was.by is not None]
            merged.setdefault(key, []).extend(places)
        for (op, was, becomes), places in merged.items():
            yield _lowered(self._march, op, f"{was} becomes {becomes}", becomes, places)


def _lowered(
    march: March, op: str, change: str, becomes: str, places: list[tuple[Span, str]]
) -> Diagnostic:
    first, *others = sorted({span for span, _ in places})
    return Diagnostic(
        "QF504",
        f"{change} around `{op}` on {march.name}",
        at=first,
        also=tuple(Label(span, "and here") for span in others[:3]),
        notes=(f"this lowers {listed([m for _, m in places])}", *entry(march, op)),
        help=f"give these modules {becomes} yourself, or choose another operator",
        severity="warning",
    )


def entry(march: March, op: str) -> tuple[str, ...]:
    """What the march's file says of an operator."""
    support = march.support(op)
    if support is None:
        return ()
    weight = f"; weight {', '.join(support.weight)}" if support.weight else ""
    takes = f"input {', '.join(support.input)}{weight}; output {', '.join(support.output)}"
    return (f"{march.name} lists `{op}` with {takes} ({support.source})",)
