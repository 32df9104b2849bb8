"""modules: what happens at each address, written out: the grids of output and weight."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from qflow.compile import facts, learning
from qflow.compile.qfields import CORE, FIXED, OBSERVERS, SCALES
from qflow.compile.region import DEQUANT
from qflow.compile.unit import Fields, Unit
from qflow.diagnostics import Span
from qflow.dtype import DTYPES, DType
from qflow.plan import op_facts
from qflow.plan.inventory import Module
from qflow.plan.plan import Decided, Fixed, ModulePlan, Observed, Shared, Source, TensorPlan


def plans(unit: Unit) -> Unit:
    """Sets `modules`: every address of the region that is decided, in execution order."""
    if unit.inventory is None:
        return unit
    return replace(unit, modules=tuple(_plans(unit)))


def _plans(unit: Unit) -> Iterator[ModulePlan]:
    assert unit.inventory is not None
    lives = unit.lives_at
    owners = {a: g[0] for g in unit.groups for a in g[1:]}
    grids = _Grids(unit)
    for address in unit.region:
        module = unit.inventory.by_address[address]
        at = lives.get(address, address)
        if at != address:
            yield _bare(module, unit.rules_at(address), absorbed_by=at)
        elif module.op == DEQUANT:
            out = Decided("float32", why="dequantize")
            yield replace(_bare(module, ()), out=out, reads=unit.reads(address))
        elif address in unit.floats:
            bare = _bare(module, unit.rules_at(address))
            yield replace(bare, out=unit.floats[address], reads=unit.reads(address))
        elif address in unit.running and (address in unit.dtypes or address in unit.kept):
            yield _plan(unit, module, grids, owners)


def _bare(module: Module, rules: tuple[Span, ...], absorbed_by: str | None = None) -> ModulePlan:
    return ModulePlan(
        module.address,
        module.type,
        module.op,
        act=None,
        weight=None,
        out=None,
        absorbed_by=absorbed_by,
        rules=rules,
        weights=module.weights,
        macs=module.macs,
    )


def _plan(unit: Unit, module: Module, grids: "_Grids", owners: Mapping[str, str]) -> ModulePlan:
    address = module.address
    fields = unit.running[address]
    kept = unit.kept.get(address)
    op = unit.op_at(address)
    weight, axis = None, op_facts.weight_axis(op)
    if axis is not None:
        weight = grids.of("weight", fields, fields["weight.dtype"], axis)
    act = None
    if kept is None:
        act = grids.of("act", fields, unit.dtypes[address], 0)
        if owner := owners.get(address):
            why = _why_shared(unit, address, owner)
            act = replace(act, source=Shared(owner, why), learned=None, fix_scale=None)
    rules = unit.rules_at(*unit.members_at.get(address, (address,)))
    out = kept or fields.get("out.dtype") or unit.dtypes[address]
    return ModulePlan(
        address,
        module.type,
        module.op,
        act,
        weight,
        out,
        rules=rules,
        inputs=_operands(unit, address, grids),
        reads=unit.reads(address),
        weights=module.weights,
        macs=module.macs,
    )


def _operands(unit: Unit, address: str, grids: "_Grids") -> tuple[TensorPlan | None, ...]:
    """The grids that operands which come as floats are brought to."""
    slots = unit.entering.get(address, {})
    made = {i: grids.of("act", unit.running[address], d, 0) for i, d in slots.items()}
    return tuple(made.get(i) for i in range(max(slots, default=-1) + 1))


class _Grids:
    """The grids of a qconfig; modules that have one qconfig share them."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._made: dict[tuple[str, int, int, int], TensorPlan] = {}

    def of(self, part: str, fields: Fields, dtype: Decided, axis: int) -> TensorPlan:
        # the unit holds both as long as this lives, so their identities stay theirs
        key = (part, id(fields), id(dtype), axis)
        if key not in self._made:
            self._made[key] = _tensor(self._unit, part, fields, dtype, axis)
        return self._made[key]


def _tensor(unit: Unit, part: str, fields: Fields, dtype: Decided, axis: int) -> TensorPlan:
    scheme = fields[f"{part}.scheme"]
    return TensorPlan(
        dtype,
        scheme,
        axis if scheme.value == "per_channel" else None,
        _source(unit, part, fields, dtype),
        learning.learned(part, fields),
        learning.fix_scale(part, fields),
    )


def _source(unit: Unit, part: str, fields: Fields, dtype: Decided) -> Source:
    observer = fields[f"{part}.observer"]
    if observer.value == FIXED:
        origin = fields.get(SCALES) if part == "act" else None
        scale = _given(unit, part, fields, DTYPES[str(dtype.value)])
        return Fixed(scale, origin, fields.get(f"{part}.unsigned"))
    settings: dict[str, Decided] = {
        name: Decided(default, observer.by, f"default of {observer.value}")
        for name, _, default in facts.settings(OBSERVERS, str(observer.value))
    }
    for name, decided in fields.items():
        own, _, field = name.partition(".")
        if own == part and field not in CORE:
            settings[field] = decided
    return Observed(observer, tuple(sorted(settings.items())))


def _given(unit: Unit, part: str, fields: Fields, dtype: DType) -> Decided:
    """The scale that is written, or that of the threshold on the march."""
    if scale := fields.get(f"{part}.scale"):
        return scale
    threshold = fields[f"{part}.threshold"]
    by_qmax = unit.march is not None and unit.march.threshold_divisor == "qmax"
    divisor = dtype.qmax if by_qmax else -dtype.qmin
    value = float(threshold.value) / divisor
    return Decided(value, threshold.by, f"threshold {threshold.value} / {divisor}")


def _why_shared(unit: Unit, address: str, owner: str) -> str:
    """Which operator puts the two on one grid."""
    assert unit.inventory is not None
    op = unit.inventory.by_address[address].op
    if op_facts.shares_scale(op):
        return f"{op} keeps the grid of its input"
    return f"{unit.inventory.by_address[owner].op} gives its inputs its own grid"
