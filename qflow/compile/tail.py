"""tail: which gemm keeps its int32 accumulator, because only a dequantize reads it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from qflow.compile.region import DEQUANT, listed
from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic
from qflow.plan import op_facts
from qflow.plan.inventory import Inventory
from qflow.plan.plan import Decided
from qflow.records import dataclass

INT32 = "int32"
_IDENTITY = "identity"


@dataclass(frozen=True)
class _Tail:
    """A gemm and what stands between it and its dequantize."""

    gemm: str
    """Where it runs."""
    identities: tuple[str, ...]
    moved_by: tuple[str, ...]
    """Layout operators in between."""


def accumulators(unit: Unit) -> Unit:
    """Sets `kept`. QF505 a layout operator in the way, QF501, QF111 impossible `out.dtype`s."""
    if unit.inventory is None or unit.march is None:
        return unit
    found: list[Diagnostic] = []
    kept: dict[str, Decided] = {}
    tails = {t.gemm: t for t in _tails(unit)}
    for tail in tails.values():
        reason = _reason(unit, tail)
        if reason is None:
            continue
        if tail.moved_by:
            found.append(_layout(unit, tail, reason))
            continue
        kept[tail.gemm] = reason
        through = Decided(INT32, reason.by, f"accumulator of {tail.gemm}")
        kept.update(dict.fromkeys(tail.identities, through))
    # no rule speaks of the grid of what lies on none
    places = [a for a in unit.running if op_facts.gives_indices(unit.op_at(a))]
    kept.update(dict.fromkeys(places, Decided(INT32, why="places are whole numbers")))
    found += _impossible(unit, tails)
    return replace(unit, kept=kept).having(found)


def _tails(unit: Unit) -> Iterator[_Tail]:
    assert unit.inventory is not None
    inventory = unit.inventory
    for module in inventory.modules:
        # a DeQuantStub outside the region reads what is no grid; that is a finding of its own
        if module.op != DEQUANT or module.address not in unit.region:
            continue
        for address in dict.fromkeys(inventory.sources[module.address]):
            if tail := _behind(unit, address):
                yield tail


def _behind(unit: Unit, address: str) -> _Tail | None:
    """The gemm whose value a dequantize reads at an address; None where there is none."""
    assert unit.inventory is not None
    inventory = unit.inventory
    way: list[str] = []
    while (
        op_facts.moves_only(inventory, address)
        and _read_once(inventory, address)
        and address not in unit.floats
    ):
        way.append(address)
        address = inventory.sources[address][0]
    at = unit.lives_at.get(address, address)
    if address in unit.floats:
        return None
    if not _read_once(inventory, address) or op_facts.role(unit.op_at(at)) != "gemm":
        return None
    identities = tuple(a for a in way if inventory.by_address[a].op == _IDENTITY)
    return _Tail(at, identities, tuple(a for a in reversed(way) if a not in identities))


def _read_once(inventory: Inventory, address: str) -> bool:
    return len(inventory.users[address]) == 1 and inventory.by_address[address].calls == 1


def _reason(unit: Unit, tail: _Tail) -> Decided | None:
    """Who wants the accumulator: a rule or the march; None when nobody does."""
    assert unit.march is not None
    fields: Mapping[str, Decided] | None = unit.running.get(tail.gemm)
    if fields is None:
        return None
    asked = fields.get("out.dtype")
    if asked is not None and asked.value == INT32:
        return None if _clipped(unit, tail.gemm) else asked
    if asked is not None and asked.value == fields["act.dtype"].value:
        return None
    # any other is refused below; what the march does stays, so that nothing else follows from it
    if unit.march.tail != INT32 or _clipped(unit, tail.gemm):
        return None
    return Decided(INT32, why=f"{unit.march.name}: tail")


def _clipped(unit: Unit, at: str) -> bool:
    """A relu6 clips at a value of its own grid, which an accumulator does not have."""
    assert unit.inventory is not None
    last = unit.members_at.get(at, (at,))[-1]
    return op_facts.pattern_word(unit.inventory.by_address[last].op) == "relu6"


def _layout(unit: Unit, tail: _Tail, reason: Decided) -> Diagnostic:
    assert unit.inventory is not None
    assert unit.target is not None
    ops = ", ".join(f"`{a}` ({unit.inventory.by_address[a].op})" for a in tail.moved_by)
    asked = reason.by is not None
    lost = "this rule asks for" if asked else "the march would give it"
    return Diagnostic(
        "QF505",
        f"`{tail.gemm}` cannot keep its int32 accumulator, which {lost}",
        at=reason.by or unit.target.at,
        notes=(f"between it and its dequantize stands {ops}",),
        help="move the layout operator behind the dequantize",
        severity="error" if asked else "warning",
    )


def _impossible(unit: Unit, tails: Mapping[str, _Tail]) -> Iterator[Diagnostic]:
    """Rules that set an `out.dtype` no output there can have; one finding per rule."""
    by_rule: dict[tuple[str, str, Decided], list[str]] = {}
    for address, fields in unit.running.items():
        asked = fields.get("out.dtype")
        if asked is None:
            continue
        grid = fields["act.dtype"].value
        if asked.value != INT32 and asked.value != grid:
            text = f"`out.dtype` is {asked.value} where the grid is {grid}"
            by_rule.setdefault(("QF111", text, asked), []).append(address)
        elif asked.value == INT32 and address not in tails:
            text = "only a conv2d or linear that nothing but a dequantize reads gives out int32"
            by_rule.setdefault(("QF501", text, asked), []).append(address)
        elif asked.value == INT32 and _clipped(unit, address):
            text = "a relu6 clips on a grid, so an accumulator behind it cannot be kept"
            by_rule.setdefault(("QF501", text, asked), []).append(address)
    for (code, text, asked), addresses in by_rule.items():
        notes = (f"this rule asks it of {listed(addresses)}",)
        yield Diagnostic(code, text, at=asked.by, notes=notes)
