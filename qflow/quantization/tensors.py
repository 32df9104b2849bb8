"""tensors: what is asked of every tensor between the stubs, before the march speaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from qflow.diagnostics import Diagnostic
from qflow.plan import op_facts
from qflow.plan.plan import Decided, Fixed, TensorPlan
from qflow.quantization.deciding import Decision
from qflow.quantization.facts import Change
from qflow.quantization.scene import Scene


@dataclass(frozen=True)
class Tensors:
    """Plans by unit. A unit that is missing, or None, has no grid there."""

    outputs: Mapping[str, TensorPlan]
    weights: Mapping[str, TensorPlan]
    inputs: Mapping[str, tuple[TensorPlan | None, ...]]
    """Per operand; units that ask nothing are missing."""
    frozen: frozenset[str] = frozenset()
    """Units whose tensors no march may change."""
    changes: tuple[Change, ...] = ()
    notes: tuple[Diagnostic, ...] = field(default=())


def asked(scene: Scene, decisions: Mapping[str, Decision]) -> Tensors:
    """The tensors as the decisions ask for them. Parts that do not apply are left out.

    QF502 for operators the march does not list, QF255 for a part that was asked for by name and
    does not apply; both only say it.
    """
    outputs: dict[str, TensorPlan] = {}
    weights: dict[str, TensorPlan] = {}
    inputs: dict[str, tuple[TensorPlan | None, ...]] = {}
    changes: list[Change] = []
    notes = list(_unlisted(scene))
    for unit, decision in decisions.items():
        qconfig = decision.qconfig
        if qconfig is None or not scene.listed(unit):
            continue
        output = qconfig.output_plan
        if output is not None and scene.has_grid(unit):
            outputs[unit] = _given_scale(scene, unit, _by(output, decision), changes)
        axis = op_facts.weight_axis(scene.op(unit))
        weight = None if axis is None else qconfig.weight_plan(axis)
        if weight is not None:
            weights[unit] = _by(weight, decision)
        elif axis is None and qconfig.weight is not None and decision.explicit:
            notes.append(_no_weight(scene, unit, decision))
        operands = tuple(qconfig.input_plan(i) for i in range(len(scene.operands(unit))))
        if any(operands) and op_facts.role(scene.op(unit)) != "boundary":
            inputs[unit] = tuple(None if p is None else _by(p, decision) for p in operands)
    frozen = frozenset(u for u, d in decisions.items() if d.frozen)
    return Tensors(outputs, weights, inputs, frozen, tuple(changes), tuple(notes))


def with_dtype(plan: TensorPlan, dtype: str, why: str, bits: int) -> TensorPlan:
    """The plan at another dtype, `bits` narrower; a given scale keeps the range it stands for."""
    made = replace(plan, dtype=Decided(dtype, why=why))
    if not isinstance(plan.source, Fixed) or not bits:
        return made
    scale = float(plan.source.scale.value) * 2.0**bits
    return replace(made, source=replace(plan.source, scale=Decided(scale, why=why), origin=None))


def _by(plan: TensorPlan, decision: Decision) -> TensorPlan:
    """The plan with the name of who decided it."""
    return replace(plan, dtype=replace(plan.dtype, why=decision.why))


def _given_scale(scene: Scene, unit: str, plan: TensorPlan, changes: list[Change]) -> TensorPlan:
    """A stub that was made with a scale keeps that, as code beside the model's own says it."""
    stub = scene.modules.get(unit) if scene.op(unit) == "quant" else None
    scale = getattr(stub, "scale", None)
    if scale is None:
        return plan
    given = float(scale)
    if isinstance(plan.source, Fixed) and plan.source.scale.value != given:
        was = str(plan.source.scale.value)
        changes.append(Change(unit, "output.scale", was, str(given), "the stub was made with it"))
    return replace(plan, source=Fixed(Decided(given, why=f"scale of the stub `{unit}`")))


def _unlisted(scene: Scene) -> Iterator[Diagnostic]:
    found: dict[tuple[str, str], list[str]] = {}
    for unit in scene.units:
        if scene.listed(unit):
            continue
        module = scene.inventory.by_address[scene.gemm(unit)]
        known = module.op != "unknown"
        found.setdefault((module.op if known else module.type, module.detail), []).append(unit)
    for (name, detail), units in found.items():
        places = ", ".join(f"`{u}`" for u in units[:6])
        more = f" and {len(units) - 6} more" if len(units) > 6 else ""
        yield Diagnostic(
            "QF502",
            f"{scene.march.name} has no operator `{name}`: {places}{more} stays float",
            notes=(detail,) if detail else (),
            help="move it out of the quantized part, or replace it; export will refuse it",
            severity="warning",
        )


def _no_weight(scene: Scene, unit: str, decision: Decision) -> Diagnostic:
    return Diagnostic(
        "QF255",
        f"`{unit}` ({scene.op(unit)}) has no weight with a grid of its own: "
        f"the weight of {decision.why} is left out",
        severity="note",
    )
