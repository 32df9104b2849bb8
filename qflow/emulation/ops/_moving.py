"""What operators share that only move the values of one tensor: the same integers, elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation import rearrange
from qflow.emulation.op import EXACT, MOVED, Call, Fast, Op, Range, Unsupported

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Moving(Op):
    """An operator says how its values move, once in NumPy and once in torch.

    Both take the attributes of the prepared node and those of the integer node alike.
    """

    role = "shape"
    shares_scale = True
    within = EXACT
    keeps_type = True
    reads = MOVED
    writes = MOVED

    def move(self, attributes: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        """The values in their new places, for the reader."""
        raise NotImplementedError

    def fast_move(self, attributes: Mapping[str, Any], x: Tensor) -> Tensor:
        """The same in torch, of any dtype; `x` stays as it is."""
        raise NotImplementedError

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self.fast_move(node.attributes, operands[0])

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray | tuple[np.ndarray, ...]:
        return self.move(attributes, operands[0])

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = node.inputs[0]
        free = build.free_axes(source)
        rearrange.emit(node, build, self.settled(node, build.types[source].shape, free))

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return self.move(call.node.attributes, operands[0])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return Fast(lambda x: self.fast_move(call.node.attributes, x))


def with_free(sizes: Sequence[int], node: PreparedNode) -> tuple[int, ...]:
    """Sizes of the output with -1 where they follow the batch. Raises Unsupported for two such."""
    if len(node.free) > 1:
        raise Unsupported(f"axes {node.free} of its result both follow the batch: one can be free")
    return tuple(-1 if i in node.free else s for i, s in enumerate(sizes))
