"""Extreme: the larger or smaller of two tensors on grids of their own, or of one and a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Range, Unsupported, form
from qflow.emulation.own.sophgo_q31._joint import Joint
from qflow.emulation.sophgo.grids import target_scale
from qflow.emulation.sophgo.q31 import INT8
from qflow.emulation.sophgo.reading import integers, limits, required
from qflow.emulation.sophgo.rounding import round_away, saturate

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Extreme(Joint):
    """Attributes: number, whether the second operand is the constant `value`; low, high."""

    operands = (1, 2)
    fields = form(number="flag", low="integer", high="integer")
    fixed = MappingProxyType({"number": False})
    function: ClassVar[str]
    """Its name in NumPy and torch."""

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        return ""

    def join(self, left: Any, right: Any) -> Any:
        if isinstance(left, np.ndarray):
            return getattr(np, self.function)(left, right)
        import torch

        return getattr(torch, self.function)(left, right)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if len(node.inputs) == 2:
            return super().lower(node, build)
        value = required(node.weight, "constant")
        if value.size != 1:
            raise Unsupported("a constant of many values: only a number")
        whole = saturate(round_away(value.reshape(1) / target_scale(node)), *INT8)
        output = build.output_type(node, build.operand(node, 0).shape)
        attributes = {"number": True, **limits(node, output)}
        build.emit(node, node.op, node.inputs, output, attributes, {"value": integers(whole)})

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return tuple(shapes[0]) if attributes.get("number") else super().shape(attributes, shapes)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        if call.node.attributes["number"]:
            return {"value": Constant(("int32",), ((1,),), low=INT8[0], high=INT8[1])}
        return super().roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        if not a["number"]:
            return super().oracle(call, *operands)
        found = self.join(operands[0].astype(np.int64), call.constants["value"].astype(np.int64))
        return np.clip(found, a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a = call.node.attributes
        if not a["number"]:
            return super().fast(call, ranges, device)
        value = torch.from_numpy(call.constants["value"]).to(device).float()
        return Fast(lambda x: self.join(x.float(), value).clamp_(a["low"], a["high"]))
