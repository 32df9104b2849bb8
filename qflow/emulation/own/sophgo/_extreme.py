"""Extreme: the larger or smaller of two integers, whatever grids they lie on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.op import Call, Constant, Fast, Op, Range, Unsupported, form
from qflow.emulation.own.sophgo._operands import TWO, broadcast, of_form
from qflow.emulation.sophgo.grids import target_scale
from qflow.emulation.sophgo.rounding import round_away, saturate

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Extreme(Op):
    """Attributes: form, `two` or `scalar`; a number is the constant `value`."""

    integer = True
    keeps_type = False  # the grids of the operands may differ
    operands = (1, 2)
    fields = form(form="word")
    function: ClassVar[str]
    """Its name in NumPy and torch."""

    def number(self, node: PreparedNode) -> int:
        """The constant operand on the output's grid."""
        assert node.weight is not None
        if node.weight.size != 1:
            raise Unsupported("a constant of many values: only a number")
        whole = round_away(node.weight.reshape(()).astype(np.float64) / target_scale(node))
        return int(saturate(whole, -(1 << 31), (1 << 31) - 1))

    def lower(self, node: PreparedNode, build: Builder) -> None:
        shapes = [build.operand(node, i).shape for i in range(len(node.inputs))]
        output = build.output_type(node, broadcast(shapes))
        if node.weight is None:
            build.emit(node, self.name, node.inputs, output, {"form": TWO})
            return
        value = np.array([self.number(node)], np.int32)
        build.emit(node, self.name, node.inputs, output, {"form": "scalar"}, {"value": value})

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return of_form(attributes, shapes)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        if call.node.attributes["form"] == TWO:
            return {}
        return {"value": Constant(("int32",), ((1,),))}

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        other = operands[1] if call.node.attributes["form"] == TWO else call.constants["value"]
        found = getattr(np, self.function)(operands[0].astype(np.int64), other.astype(np.int64))
        return np.clip(found, *_held(call))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        join = getattr(torch, self.function)
        low, high = _held(call)
        if call.node.attributes["form"] == TWO:
            return Fast(lambda x, y: join(x.float(), y.float()).clamp_(low, high))
        value = torch.from_numpy(call.constants["value"]).to(device).double()
        return Fast(lambda x: join(x.double(), value).clamp_(low, high).float())

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return _held(call)


def _held(call: Call) -> Range:

    kind = DTYPES[call.node.output.dtype]
    return kind.qmin, kind.qmax
