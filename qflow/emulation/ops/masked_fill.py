"""masked_fill: a number wherever a mask says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import MOVED, ROUNDED, Call, Constant, Example, Fast, Op, Range, Unsupported
from qflow.emulation.ops import _codes
from qflow.emulation.ops._larger import broadcast
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class MaskedFill(Op):
    """Attribute: value. Operands: the tensor, then the mask of truth values.

    In integers the value is a constant on the output's grid; what lies outside, infinities too, is
    the grid's end.
    """

    name = "masked_fill"
    role = "elementwise"
    operands = (2, 2)
    reads = MOVED
    within = ROUNDED
    keeps_type = True
    functions = ("torch.masked_fill", "torch.Tensor.masked_fill", "torch.Tensor.masked_fill_")
    examples = (
        Example(
            ((2, 3), (2, 3)),
            {"value": -100.0},
            written=("x.masked_fill(y, -100.0)", "torch.masked_fill(x, y, value=-100.0)"),
            kinds=("float", "mask"),
        ),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        value = argument(args, kwargs, 2, "value", None)
        if len(shapes) != 2 or not isinstance(value, (int, float)):
            raise Unsupported("the value is a tensor: it must be a number")
        return {"value": float(value)}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0].masked_fill(operands[1], node.attributes["value"])

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        return np.where(operands[1] != 0, attributes["value"], operands[0])

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source, mask = build.on_grid(node, 0), _codes.mask(node, build, 1)
        shape = self.shape({}, [build.types[source].shape, build.types[mask].shape])
        output = build.output_type(node, shape)
        value = _codes.code(node.attributes["value"], output, node, build)
        constants = {"value": _codes.constant(value, output)}
        build.emit(node, "masked_fill", (source, mask), output, {}, constants)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return broadcast(shapes)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return {"value": _codes.role(call.node.output)}

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        value = int(call.constants["value"][0])
        return min(ranges[0][0], value), max(ranges[0][1], value)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return np.where(operands[1] != 0, call.constants["value"].astype(np.int64), operands[0])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        value = float(call.constants["value"][0])
        return Fast(lambda x, mask: torch.where(mask != 0, value, x.float()))
