"""falling_back: what becomes of dtypes the march does not take; every change says why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from qflow.diagnostics import Diagnostic, fail
from qflow.dtype import DTYPES
from qflow.march import OpSupport
from qflow.plan.plan import Fixed, TensorPlan
from qflow.quantization.facts import Change
from qflow.quantization.scene import Scene
from qflow.quantization.tensors import Tensors, with_dtype


def fall_back(scene: Scene, tensors: Tensors) -> Tensors:
    """The tensors as the march takes them.

    Units of a scale group take the dtype and scale of its owner; an operator whose inputs the march
    lowers lowers their whole groups; dtypes an operator does not have become the widest it has that
    is no wider. Raises QflowError: QF501 where that would change a frozen decision, QF224 for given
    scales that differ within a group.
    """
    falling = _Falling(scene, tensors)
    falling.share()
    while falling.step():
        pass
    falling.weigh()
    return replace(
        tensors,
        outputs=falling.outputs,
        weights=falling.weights,
        changes=(*tensors.changes, *falling.changes),
    )


def fit(dtype: str, allowed: Collection[str]) -> str:
    """The widest allowed grid that is no wider than `dtype`, else the narrowest; itself if none."""
    grids = sorted((d for d in allowed if not DTYPES[d].is_float), key=lambda d: DTYPES[d].bits)
    grids = [d for d in grids if d != "int32"]
    if not grids or dtype in allowed:
        return dtype
    narrower = [d for d in grids if DTYPES[d].bits < DTYPES[dtype].bits]
    return narrower[-1] if narrower else grids[0]


def dtype_of(plan: TensorPlan) -> str:
    return str(plan.dtype.value)


class _Falling:
    """Goes over the operators until nothing changes; a group's dtype is changed at most thrice."""

    def __init__(self, scene: Scene, tensors: Tensors) -> None:
        self.scene = scene
        self.outputs = dict(tensors.outputs)
        self.weights = dict(tensors.weights)
        self.changes: list[Change] = []
        self._frozen = tensors.frozen
        self._times: dict[str, int] = {}

    def share(self) -> None:
        """Every group takes the dtype and the scale of its owner."""
        for group in self.scene.groups:
            held = [u for u in group if u in self.outputs]
            if not held:
                continue
            owner = held[0]
            self._one_scale(owner, held)
            own = dtype_of(self.outputs[owner])
            for unit in held[1:]:
                if dtype_of(self.outputs[unit]) != own:
                    self._change(unit, own, f"it lies on the grid of `{owner}`")

    def _one_scale(self, owner: str, held: list[str]) -> None:
        """A scale that is given to a member is given to all; two that differ are a mistake."""
        given = {u: s for u in held if (s := _scale(self.outputs[u])) is not None}
        if len(set(given.values())) > 1:
            raise _two_scales(given)
        if not given or owner in given:
            return
        unit, scale = next(iter(given.items()))
        why = f"`{unit}` has it and lies on this grid"
        self.changes.append(Change(owner, "output.scale", "observed", str(scale), why))
        self.outputs[owner] = replace(self.outputs[owner], source=self.outputs[unit].source)
        # it was given for the dtype of that unit
        dtype = self.outputs[unit].dtype
        if dtype_of(self.outputs[owner]) != str(dtype.value):
            self._change(owner, str(dtype.value), why, bits=0)

    def step(self) -> bool:
        """Change what the march wants otherwise now; whether anything was changed."""
        return any([self._operator(unit) for unit in self.scene.units])

    def _operator(self, unit: str) -> bool:
        op = self.scene.op(unit)
        support = self.scene.march.support(op)
        if support is None:
            return False
        changed = []
        if support.lowers:
            operands = enumerate(self.scene.operands(unit))
            changed = [self._lower(s, support.takes(i), op) for i, given in operands for s in given]
        own = self._lower(unit, support.output, op)
        return any([*changed, own])

    def _lower(self, unit: str, allowed: tuple[str, ...], op: str) -> bool:
        if unit not in self.outputs:
            return False
        was = dtype_of(self.outputs[unit])
        given = fit(was, allowed)
        if given == was:
            return False
        for member in self.scene.group[unit]:
            if member in self.outputs and dtype_of(self.outputs[member]) != given:
                self._change(member, given, f"{self.scene.march.name}: {op} takes {given}")
        return True

    def weigh(self) -> None:
        """Weights take what the operator has."""
        for unit, plan in self.weights.items():
            op = self.scene.op(unit)
            support = self.scene.march.support(op)
            given = fit(dtype_of(plan), support.weight) if support else dtype_of(plan)
            if given == dtype_of(plan):
                continue
            why = f"{self.scene.march.name}: the weight of {op} is {given}"
            self._refuse_frozen(unit, "weight", dtype_of(plan), why)
            self.changes.append(Change(unit, "weight.dtype", dtype_of(plan), given, why))
            self.weights[unit] = with_dtype(plan, given, why, _bits(dtype_of(plan), given))

    def _change(self, unit: str, given: str, why: str, bits: int | None = None) -> None:
        plan = self.outputs[unit]
        was = dtype_of(plan)
        self._refuse_frozen(unit, "output", was, why)
        self._times[unit] = self._times.get(unit, 0) + 1
        if self._times[unit] > len(DTYPES):
            message = f"no dtype suits everything on the grid of `{unit}`: {why}"
            raise fail(Diagnostic("QF501", message))
        self.changes.append(Change(unit, "output.dtype", was, given, why))
        narrower = _bits(was, given) if bits is None else bits
        made = with_dtype(plan, given, why, narrower)
        if (scale := _scale(plan)) is not None and _scale(made) != scale:
            text = f"{why}; the range of the given scale is kept"
            self.changes.append(Change(unit, "output.scale", str(scale), str(_scale(made)), text))
        self.outputs[unit] = made

    def _refuse_frozen(self, unit: str, part: str, was: str, why: str) -> None:
        if unit in self._frozen:
            message = f"the {part} of `{unit}` is frozen at {was}, but {why}"
            help_ = "leave `freeze` out, or choose a dtype the march takes"
            raise fail(Diagnostic("QF501", message, help=help_))


def takes(
    support: OpSupport, dtype: str, output: str | None, slot: int = 0, wide_before: int = 0
) -> str:
    """What an operand of that dtype must become for an operator; itself where it may come so.

    `slot` is its number; `wide_before` operands before it are wider than 8 bits.
    """
    given = fit(dtype, support.takes(slot, wide_before))
    if support.same and output is not None and DTYPES[output].bits < DTYPES[given].bits:
        # the hardware has one dtype for operands and output, and only widening is free
        return output
    return given


def _scale(plan: TensorPlan) -> float | None:
    return float(plan.source.scale.value) if isinstance(plan.source, Fixed) else None


def _bits(was: str, given: str) -> int:
    return DTYPES[was].bits - DTYPES[given].bits


def _two_scales(given: dict[str, float]) -> Exception:
    text = ", ".join(f"`{u}`: {s:g}" for u, s in given.items())
    return fail(
        Diagnostic(
            "QF224",
            "scales that were given differ within one scale group",
            notes=(text, "what only moves values keeps the grid of its input"),
            help="give one of them, or the same to all",
        )
    )
