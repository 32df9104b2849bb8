"""linear: a matrix product with constant weights over the last axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation import gemm
from qflow.emulation.gemm_lowering import lower
from qflow.emulation.op import ROUNDED, Call, Constant, Example, Fast, Op, Range, Unsupported

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

VIEW = (-1,)
"""Channels lie on the last axis."""


class Linear(Op):
    """No attributes."""

    name = "linear"
    role = "gemm"
    modules = ("torch.nn.Linear",)
    functions = ("torch.nn.functional.linear",)
    pattern_word = "linear"
    operands = (1, 2)
    weight_axis = 0
    writes = gemm.WRITES
    fields = gemm.FIELDS
    within = ROUNDED
    examples = (
        Example(((3, 20),), weight=(7, 20)),
        Example(((2, 4, 9),), weight=(5, 9), activation="relu"),
        Example(((3, 8), (3, 6)), weight=(6, 8), residual=True),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        raise Unsupported("a functional linear has no place for its weight's scale: use nn.Linear")

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch
        from torch.nn.functional import linear

        return linear(operands[0], torch.from_numpy(node.weight), torch.from_numpy(node.bias))

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        assert weight is not None, "a linear layer has a weight"
        result = operands[0] @ weight.T
        return result if bias is None else result + bias

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0).shape
        shape = self.shape({}, [source], () if node.weight is None else node.weight.shape)
        lower(node, build, shape, axis=len(shape) - 1)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        if len(weight) != 2 or len(shapes[0]) < 2 or shapes[0][-1] != weight[1]:
            raise Unsupported(f"weights {weight} do not fit a tensor {shapes[0]}")
        return (*shapes[0][:-1], weight[0])

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        weight, bias = (call.constants[r].astype(np.int64) for r in ("weight", "bias"))
        acc = call.centred(0, operands[0]) @ weight.T + bias
        residual = operands[1] if call.node.attributes["residual"] else None
        return gemm.finish(call, acc, residual, VIEW)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        from torch.nn.functional import linear

        from qflow.emulation.carriers.onednn import Geometry
        from qflow.emulation.carriers.products import Images

        images = Images(Geometry(), _rows_of_an_image, _rows_of_an_image, _rows_as_before)
        return gemm.fast(call, ranges, device, VIEW, linear, images)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return gemm.roles(call)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return gemm.values(call, ranges)


def _rows_of_an_image(x: Tensor) -> Tensor:
    """[..., width] to [1, width, rows, 1], whose channels lie last in memory."""
    return x.reshape(1, -1, 1, x.shape[-1]).permute(0, 3, 1, 2)


def _rows_as_before(y: Tensor, x: Tensor) -> Tensor:
    return y.permute(0, 2, 3, 1).reshape(*x.shape[:-1], y.shape[1])
