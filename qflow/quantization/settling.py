"""settling: from decisions to the plan of every address: what the march makes of them, said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from qflow.diagnostics import Diagnostic
from qflow.plan import op_facts
from qflow.plan.plan import Decided, ModulePlan, Shared, TensorPlan
from qflow.quantization.deciding import Decision
from qflow.quantization.facts import Change
from qflow.quantization.falling_back import fall_back
from qflow.quantization.high_precision import accumulators
from qflow.quantization.operands import settle_operands
from qflow.quantization.region import left_float
from qflow.quantization.scene import Scene
from qflow.quantization.tensors import Tensors, asked

_SHOWN = 6


@dataclass(frozen=True)
class Settled:
    plans: tuple[ModulePlan, ...]
    """In execution order, members of fusions and dequantizes included."""
    changes: tuple[Change, ...]
    notes: tuple[Diagnostic, ...]


def settle(scene: Scene, decisions: Mapping[str, Decision]) -> Settled:
    """Decide first, then see what the march takes: asked, shared, fallen back, operands, plans.

    Raises QflowError: QF501 for a frozen decision the march cannot follow, QF224 for given scales
    that differ within a scale group.
    """
    tensors = settle_operands(scene, fall_back(scene, asked(scene, decisions)))
    kept = _kept(scene, decisions, tensors)
    plans = tuple(_plans(scene, tensors, kept))
    notes = [*tensors.notes, *_islands(scene, decisions, tensors, kept)]
    if lost := left_float(scene.inventory, scene.inside):
        notes.append(_lost(lost))
    if not any(p.act or p.weight or any(p.inputs) for p in plans):
        notes.append(_nothing(scene))
    return Settled(plans, tensors.changes, tuple(notes))


def _kept(scene: Scene, decisions: Mapping[str, Decision], tensors: Tensors) -> dict[str, str]:
    """Addresses whose output is an accumulator, and of which unit."""
    found = {}
    for unit, identities in accumulators(scene).items():
        decision = decisions.get(unit)
        if decision is None or decision.qconfig is None or unit in tensors.outputs:
            continue
        if scene.listed(unit) and (unit in tensors.weights or not scene.has_weight(unit)):
            found.update(dict.fromkeys((unit, *identities), unit))
    return found


def _plans(scene: Scene, tensors: Tensors, kept: Mapping[str, str]) -> Iterator[ModulePlan]:
    for module in scene.inventory.modules:
        address = module.address
        bare = ModulePlan(address, module.type, module.op, None, None, None)
        if module.op == "dequant":
            yield replace(bare, out=Decided("float32", why="dequantize"))
        elif address in scene.inside and scene.unit[address] != address:
            yield replace(bare, absorbed_by=scene.unit[address])
        elif address in scene.inside:
            yield _plan(scene, replace(bare, op=scene.op(address)), tensors, kept)


def _plan(scene: Scene, bare: ModulePlan, tensors: Tensors, kept: Mapping[str, str]) -> ModulePlan:
    unit = bare.address
    act = None if unit in kept else _shared(scene, unit, tensors)
    if unit in kept:
        own = kept[unit] == unit
        why = f"{scene.march.name}: tail" if own else f"accumulator of {kept[unit]}"
        out = Decided("int32", why=why)
    else:
        out = act.dtype if act is not None else Decided("float32", why="no grid")
    inputs = tensors.inputs.get(unit, ())
    return replace(bare, act=act, weight=tensors.weights.get(unit), out=out, inputs=inputs)


def _shared(scene: Scene, unit: str, tensors: Tensors) -> TensorPlan | None:
    """The plan of an output; one that lies on another's grid says whose."""
    plan = tensors.outputs.get(unit)
    owner = next((u for u in scene.group.get(unit, (unit,)) if u in tensors.outputs), unit)
    if plan is None or owner == unit:
        return plan
    op = scene.op(unit)
    if op_facts.shares_scale(op):
        why = f"{op} keeps the grid of its input"
    else:
        why = f"{scene.op(owner)} gives its inputs its own grid"
    return replace(plan, source=Shared(owner, why), learned=None, fix_scale=None)


def _islands(
    scene: Scene, decisions: Mapping[str, Decision], tensors: Tensors, kept: Mapping[str, str]
) -> Iterator[Diagnostic]:
    """Float tensors between the stubs that somebody but a dequantize reads."""
    for unit in scene.units:
        if unit in tensors.outputs or unit in kept or not scene.has_grid(unit):
            continue
        decision = decisions.get(unit)
        why = f"by {decision.why}" if decision is not None else "no setter speaks of it"
        yield Diagnostic(
            "QF253",
            f"the output of `{unit}` stays float: {why}",
            help="export refuses a float tensor between the stubs",
            severity="note" if decision is not None else "warning",
        )


def _lost(addresses: Sequence[str]) -> Diagnostic:
    shown = ", ".join(f"`{a}`" for a in addresses[:_SHOWN])
    more = f" and {len(addresses) - _SHOWN} more" if len(addresses) > _SHOWN else ""
    return Diagnostic(
        "QF253",
        f"between the stubs a float tensor keeps {shown}{more} from being quantized",
        help="put a QuantStub behind every float tensor that joins in",
        severity="warning",
    )


def _nothing(scene: Scene) -> Diagnostic:
    why = "no setter gives anything a grid" if scene.units else "nothing lies between its stubs"
    return Diagnostic(
        "QF253",
        f"the prepared model has no fake-quantizer: {why}",
        help="put a QuantStub behind every float input, and pass a setter",
        severity="warning",
    )
