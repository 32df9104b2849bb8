"""request: what templates ask of a unit, field by field; a later template overrides an earlier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from qflow.diagnostics import Diagnostic
from qflow.dtype import DTYPES, DType, float16, float32
from qflow.quantization.facts import Change
from qflow.quantization.fake_quantize import FakeQuantize
from qflow.quantization.field_observers import FixedScaleObserver, dtype_of
from qflow.quantization.qconfig import Factory, QConfig
from qflow.quantization.scene import Scene


@dataclass(frozen=True)
class Wish:
    """How one tensor is to be."""

    dtype: DType | None
    """None: it has no grid."""
    threshold: float | None = None
    """The largest value: the scale is threshold / -quant_min, and given. None: it is observed."""

    def factory(self, base: Factory | None) -> Factory | None:
        """A factory in the manner of `base`, the reference's, for this dtype."""
        if self.dtype is None:
            return None
        if self.threshold is not None:
            scale = self.threshold / -self.dtype.qmin
            return FakeQuantize.with_args(
                observer=FixedScaleObserver, dtype=self.dtype, scale=scale
            )
        if isinstance(base, partial):
            return partial(base, dtype=self.dtype)
        made: Any = base if base is not None else FakeQuantize
        return made.with_args(dtype=self.dtype)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Request:
    """What is asked of one unit."""

    output: Wish
    weight: Wish
    inputs: tuple[Wish | None, ...] = ()
    """Per operand; None, or missing at the end: as the tensor comes."""
    frozen: bool = False
    by: str = "QconfigSetter"
    """The last template that spoke of it."""
    named: bool = False
    """A template names its output: then the rule of high precision leaves it alone."""

    def input(self, slot: int, wish: Wish | None, by: str) -> Request:
        """The same with another wish for one operand."""
        held = list(self.inputs) + [None] * (slot + 1 - len(self.inputs))
        held[slot] = wish
        return replace(self, inputs=tuple(held), by=by)

    def qconfig(self, reference: QConfig) -> QConfig:
        """The request in the manner of the reference."""
        activation = reference.output or _first(reference.input)
        operands = tuple(None if w is None else w.factory(activation) for w in self.inputs)
        return QConfig(
            self.output.factory(activation),
            self.weight.factory(reference.weight),
            operands if any(operands) else None,
        )


Requests = Mapping[str, Request]


@dataclass(frozen=True)
class Applied:
    """What a template made of the requests."""

    requests: Requests
    changes: tuple[Change, ...] = ()
    notes: tuple[Diagnostic, ...] = field(default=())


class Template:
    """Base of every template."""

    def apply(self, scene: Scene, requests: Requests) -> Applied:
        """The requests with what this template asks for on top."""
        raise NotImplementedError


def dtype_word(value: Any) -> DType | None:
    """A dtype as templates take it; None for float32. QF110 unknown, QF120 for float16."""
    name = str(value).removeprefix("torch.")
    if value is None or name in (float32.name, "float"):
        return None
    # says itself why float16 is no grid
    return dtype_of(float16 if name in (float16.name, "half") else value)


def wider(one: DType | None, other: DType | None) -> bool:
    """Whether a tensor of dtype `one` holds more than one of `other`; float holds most."""
    return _bits(one) > _bits(other)


def ask_operand(
    scene: Scene, requests: dict[str, Request], unit: str, slot: int, dtype: DType | None, by: str
) -> None:
    """Ask that an operand arrives as `dtype`, in place.

    A tensor gets the widest dtype a reader asks for. It becomes narrower only if nobody else reads
    it; else the operand alone is brought to a grid of its own.
    """
    operands = scene.operands(unit)
    for source in operands[slot] if slot < len(operands) else ():
        _ask(scene, requests, unit, slot, source, dtype, by)


def _ask(
    scene: Scene,
    requests: dict[str, Request],
    unit: str,
    slot: int,
    source: str,
    dtype: DType | None,
    by: str,
) -> None:
    owner = scene.owner(source)
    if owner not in requests or requests[owner].frozen:
        requests[unit] = requests[unit].input(slot, Wish(dtype), by)
        return
    now = requests[owner].output
    group = set(scene.group.get(owner, (owner,)))
    readers = {u for member in group for u in scene.users(member)} - group
    if wider(dtype, now.dtype) or (wider(now.dtype, dtype) and readers <= {unit}):
        requests[owner] = replace(requests[owner], output=replace(now, dtype=dtype), by=by)
        return
    held = Wish(dtype) if wider(now.dtype, dtype) else None
    requests[unit] = requests[unit].input(slot, held, by)


def _bits(dtype: DType | None) -> int:
    return 2 * max(d.bits for d in DTYPES.values()) if dtype is None else dtype.bits


def _first(operands: Any) -> Factory | None:
    if isinstance(operands, tuple):
        return next((f for f in operands if f is not None), None)
    return operands  # type: ignore[no-any-return]
