"""What maximum and minimum share: one of two values, both on the grid of the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.op import ROUNDED, Call, Fast, Op, Range, Unsupported

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Larger(Op):
    """No attributes; the operands keep their grids, the result has its own; shapes broadcast.

    In integers both operands are rescaled to the grid of the result, then compared.
    """

    role = "elementwise"
    operands = (2, 2)
    within = ROUNDED
    keeps_type = True
    function: ClassVar[str]
    """Its name below `torch` and `numpy`: `maximum`."""

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        result: Tensor = getattr(torch, self.function)(*operands)
        return result

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        result: np.ndarray = getattr(np, self.function)(*operands)
        return result

    def lower(self, node: PreparedNode, build: Builder) -> None:
        sources = tuple(build.on_grid(node, i) for i in range(2))
        shape = broadcast([build.types[s].shape for s in sources])
        build.emit(node, self.function, sources, build.output_type(node, shape))

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return broadcast(shapes)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        result: np.ndarray = getattr(np, self.function)(*operands)
        return result

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        choose = getattr(torch, self.function)
        return Fast(lambda x, y: choose(x, y))


def broadcast(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape of an operator on tensors of these. Raises Unsupported where they do not fit."""
    try:
        return tuple(np.broadcast_shapes(*shapes))
    except ValueError:
        raise Unsupported(f"shapes {tuple(map(tuple, shapes))} do not fit each other") from None
