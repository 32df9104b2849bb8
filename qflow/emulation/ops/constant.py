"""constant: a tensor of the model itself: floats that come onto a grid, or whole numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.builder import NotFinite, image_layout, scale
from qflow.emulation.graph import TensorType
from qflow.emulation.op import (
    MOVED,
    ROUNDED,
    Call,
    Example,
    Fast,
    Op,
    Range,
    Unsupported,
    form,
)
from qflow.emulation.op import Constant as Stored
from qflow.emulation.rounding import to_grid
from qflow.emulation.steps.input import WHOLE

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Constant(Op):
    """As a quant stub does, it puts a tensor (a position embedding) on a grid.

    It stands in no model: tracing puts it where an operator reads such a tensor. In integers it
    holds the value: without an operand as it is; with one, once per sample of that operand, side by
    side along `axis` (`class_token.expand(len(x), -1, -1)`). Attributes: shape of the value, axis.
    """

    name = "constant"
    role = "boundary"
    operands = (0, 1)
    fields = form(shape="sizes", axis="axis")
    reads = (*MOVED, "float32")
    writes = MOVED
    within = ROUNDED
    examples = (Example(((1, 3, 4),)),)

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0]

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        if weight is None:
            return operands[0]
        return weight if not operands else _per_sample(weight, operands[0], attributes["axis"])

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if node.weight is None:
            # made by hand, without a value: what it reads is a tensor on a grid
            source = build.on_grid(node, 0)
            build.emit(node, "identity", (source,), build.types[source])
            return
        value = np.atleast_1d(node.weight)
        axis = int(node.attributes.get("axis", 0))
        given = [build.types[i].shape for i in node.inputs]
        fields = {"shape": tuple(value.shape), "axis": axis}
        shape = self.shape(fields, given)
        if value.dtype.kind == "f":
            output = build.output_type(node, shape)
            stored = _on_grid(value, output, build.rounding(node, node.grid))
        else:
            output = TensorType("int32", shape, layout=image_layout(shape))
            if value.min() < WHOLE[0] or value.max() > WHOLE[1]:
                raise Unsupported("it holds numbers that int32 does not hold")
            stored = value.astype(np.int32)
        build.emit(node, "constant", node.inputs, output, fields, {"value": stored})

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        shape, axis = tuple(attributes["shape"]), attributes["axis"]
        if axis >= len(shape):
            raise Unsupported(f"axis {axis} of a tensor {shape} is not there")
        samples = shapes[0][0] if shapes else 1
        return (*shape[:axis], shape[axis] * samples, *shape[axis + 1 :])

    def roles(self, call: Call) -> Mapping[str, Stored]:
        shape = tuple(call.node.attributes["shape"])
        return {"value": Stored((call.node.output.dtype,), (shape,))}

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        value = call.constants["value"]
        return int(value.min()), int(value.max())

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        value = call.constants["value"].astype(np.int64)
        return _per_sample(value, operands[0], call.node.attributes["axis"]) if operands else value

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        value = torch.from_numpy(call.constants["value"]).to(device)
        axis = call.node.attributes["axis"]

        def run(*operands: Tensor) -> Tensor:
            if not operands:
                return value
            times = [1] * value.ndim
            times[axis] = len(operands[0])
            return value.repeat(times)

        return Fast(run)


def _per_sample(value: np.ndarray, batch: np.ndarray, axis: int) -> np.ndarray:
    return np.concatenate([value] * len(batch), axis=axis)


def _on_grid(value: np.ndarray, output: TensorType, rounding: str) -> np.ndarray:
    """Infinities become the grid's ends. Raises NotFinite for NaN."""
    if np.isnan(value).any():
        raise NotFinite("its value holds NaN")
    dtype, zero = DTYPES[output.dtype], output.zero_point
    real = value.astype(np.float32)
    found = to_grid(real, scale(output), rounding, dtype.qmin - zero, dtype.qmax - zero) + zero
    return found.astype(output.dtype)
