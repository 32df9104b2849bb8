"""matmul: the matrix product of two activations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.arrays import as_array
from qflow.emulation.op import ROUNDED, Call, Constant, Example, Fast, Op, Range, Unsupported
from qflow.emulation.ops import _products

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Matmul(Op):
    """No attributes; leading axes broadcast as in torch."""

    name = "matmul"
    role = "gemm"
    operands = (2, 2)
    writes = _products.WRITES
    fields = _products.FIELDS
    within = ROUNDED
    functions = (
        "operator.matmul",
        "torch.matmul",
        "torch.bmm",
        "torch.mm",
        "torch.Tensor.matmul",
        "torch.Tensor.bmm",
        "torch.Tensor.mm",
        "torch.Tensor.__matmul__",
        "torch.Tensor.__rmatmul__",
    )
    examples = (
        Example(((2, 3, 4, 5), (2, 3, 5, 6)), written=("x @ y", "torch.matmul(x, y)")),
        Example(((2, 4, 5), (2, 5, 3)), written=("torch.bmm(x, y)", "x.bmm(y)")),
        Example(((2, 1, 4, 5), (2, 3, 5, 6)), written=("x @ y",)),
    )

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0] @ operands[1]

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        return as_array(operands[0] @ operands[1])

    def lower(self, node: PreparedNode, build: Builder) -> None:
        shapes = [build.operand(node, i).shape for i in range(2)]
        inner = [len(shapes[0]) - 1, len(shapes[1]) - 2]
        if any(d in build.free_axes(i) for d, i in zip(inner, node.inputs, strict=True)):
            raise Unsupported("it sums over the batch, whose size is free")
        _products.lower(node, build, self.shape({}, shapes), {}, shapes[0][-1])

    def macs(
        self,
        shapes: Sequence[tuple[int, ...]],
        output: tuple[int, ...],
        weight: tuple[int, ...] = (),
    ) -> int:
        return prod(output[1:]) * shapes[0][-1]

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        left, right = shapes
        if len(left) < 2 or len(right) < 2:
            raise Unsupported(f"{left} by {right}: a vector has no batch, give it a second axis")
        if left[-1] != right[-2]:
            raise Unsupported(f"{left} by {right}: the inner sizes differ")
        try:
            leading = np.broadcast_shapes(left[:-2], right[:-2])
        except ValueError:
            raise Unsupported(f"{left} by {right}: the leading axes do not broadcast") from None
        return (*leading, left[-2], right[-1])

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _products.roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        left, right = (call.centred(i, x) for i, x in enumerate(operands))
        return _products.oracle(call, left @ right)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        return _products.fast(call, ranges, device, self._count(call), torch.matmul)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return _products.values(call, ranges, self._count(call))

    def _count(self, call: Call) -> int:
        """How many products are added up."""
        return call.sources[0].shape[-1]
