"""island: an operator that stays float: what the march does not list, or has in no integer form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow import registry
from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.emulation.op import Call, Constant, Fast, Op, Range, Unsupported, op
from qflow.emulation.steps._island_size import FAILS, integers, most_values

if TYPE_CHECKING:
    from torch import Tensor

OP = "op"
"""The attribute that names the operator; the others are that operator's own."""
HELD = "constant"
"""The attribute that says which operand the weight is, where a profile absorbed a constant."""
MOST_VALUES = 1 << 28
"""Of the result of an island that a file describes: 1 GiB of float32."""
PART = "part"
"""The attribute that says which result of an operator with several it is."""
TRIED = 1 << 16
"""Values of an island that is tried when a file is read."""


class Island(Op):
    """Attributes: op, `part` where it has several results, and those of that operator. Constants:
    weight and bias, float32, if it has.

    `Op.real` in float64 on float32 operands, its result rounded once to float32. Both runtimes call
    the one NumPy form, so that they agree to the bit: a float operator of the device may differ in
    its last bits, and nothing here claims otherwise.
    """

    name = "island"
    role = "elementwise"
    operands = (0, 1 << 16)
    reads = ("float32", "int32")
    writes = ("float32", "int32")

    checks_itself = True

    def check(self, call: Call) -> None:
        """What a file must pass: the operator runs on tensors of these shapes, to that shape."""
        attributes = call.node.attributes
        name = attributes.get(OP)
        if name not in registry.names("emulation.ops") or not runs_on_floats(str(name)):
            raise Unsupported(f"`{name}` is no operator that runs on floats")
        shapes = [s.shape for s in call.sources]
        largest = max(max(shape, default=1) for shape in [*shapes, call.node.output.shape])
        weighted = "weight" in call.constants and HELD not in attributes
        if op(str(name)).weight_axis is not None and not weighted:
            raise Unsupported("it has no weight")
        if any(abs(n) > largest for n in integers(attributes.values())):
            raise Unsupported("its attributes do not fit its tensors")
        if type(attributes.get(PART, 0)) is not int or attributes.get(PART, 0) < 0:
            raise Unsupported("the number of its result is none")
        settings = {k: v for k, v in attributes.items() if k not in (OP, HELD, PART)}
        weight = call.constants["weight"].shape if "weight" in call.constants else ()
        try:
            most = most_values(op(str(name)), settings, shapes, weight)
            if most > MOST_VALUES:
                raise Unsupported("its result would be larger than it says")
            if max(most, sum(map(prod, shapes))) > TRIED:
                return  # what cannot run says so when it runs
            blank = [np.zeros(s.shape, s.dtype) for s in call.sources]
            found = computed(call, blank).shape
        except FAILS as why:
            raise Unsupported(f"`{name}` cannot run so: {type(why).__name__}") from None
        if found != call.node.output.shape:
            raise Unsupported(f"its output is {call.node.output.shape}, not {found}")

    def roles(self, call: Call) -> Mapping[str, Constant]:
        given = (r for r in ("weight", "bias") if r in call.constants)
        return {r: Constant(("float32",), (call.constants[r].shape,)) for r in given}

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return 0, 0  # no integers

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        """Raises QflowError QF318 where a damaged file describes what cannot run."""
        try:
            result = computed(call, operands)
        except FAILS as why:
            raise _cannot_run(call, type(why).__name__) from None
        as_declared = all(x.shape == s.shape for x, s in zip(operands, call.sources, strict=True))
        if as_declared and result.shape != call.node.output.shape:
            raise _cannot_run(call, f"it gives {result.shape}")
        return result

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        def run(*operands: Tensor) -> Tensor:
            result = self.oracle(call, *(x.cpu().numpy() for x in operands))
            return torch.from_numpy(np.ascontiguousarray(result)).to(device)

        return Fast(run)


def runs_on_floats(name: str) -> bool:
    """Whether an operator has a form in NumPy floats."""
    return type(op(name)).real is not Op.real


def computed(call: Call, operands: Sequence[np.ndarray]) -> np.ndarray:
    """What it gives on operands of any shapes. Raises one of FAILS where it cannot run."""
    settings = dict(call.node.attributes)
    operator = op(settings.pop(OP))
    floats = [x.astype(np.float64) if x.dtype == np.float32 else x for x in operands]
    weights = {r: a.astype(np.float64) for r, a in call.constants.items()}
    part = settings.pop(PART, None)
    if (place := settings.pop(HELD, None)) is not None and "weight" in weights:
        floats.insert(place, weights.pop("weight"))
    with np.errstate(all="ignore"):  # infinity and NaN are values of floats
        result = operator.real(settings, *floats, **weights)
        if (part is None) == isinstance(result, tuple):
            raise ValueError("it has several results, or one is asked for that it has not")
        chosen = result if part is None else result[part]
        return np.asarray(chosen).astype(call.node.output.dtype)


def _cannot_run(call: Call, why: str) -> QflowError:
    text = (
        f"`{call.node.address}`: a float island of `{call.node.attributes[OP]}` cannot run: {why}"
    )
    return fail(Diagnostic("QF318", text, help="make the integer model again with `qflow run`"))
