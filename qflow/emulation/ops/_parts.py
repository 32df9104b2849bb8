"""What chunk, split and unbind share: a tensor cut into parts along one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation import rearrange
from qflow.emulation.op import EXACT, MOVED, Op, Unsupported
from qflow.emulation.ops._moving import with_free
from qflow.emulation.ops.slice import END

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Parts(Op):
    """Attributes: dim (not negative), sizes of the parts. The result is a tuple.

    In integers every part is a slice.
    """

    role = "shape"
    shares_scale = True
    within = EXACT
    reads = MOVED
    writes = MOVED

    def sizes(self, attributes: Mapping[str, Any], shape: tuple[int, ...]) -> tuple[int, ...]:
        """How many places of the axis each part has."""
        sizes: tuple[int, ...] = attributes["sizes"]
        return sizes

    def kept(self, shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
        """Shape of a part, of a slice of that shape."""
        return shape

    def meaning(self, node: PreparedNode, *operands: Tensor) -> tuple[Tensor, ...]:
        return tuple(operands[0].split(list(node.attributes["sizes"]), node.attributes["dim"]))

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> tuple[np.ndarray, ...]:
        x, dim = operands[0], attributes["dim"]
        ends = np.cumsum(self.sizes(attributes, x.shape))
        return tuple(p.reshape(self.kept(p.shape, dim)) for p in np.split(x, ends[:-1], dim))

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        """Shape of the first part."""
        shape, dim = tuple(shapes[0]), attributes["dim"]
        if dim >= len(shape) or sum(self.sizes(attributes, shape)) != shape[dim]:
            raise Unsupported(f"the parts do not fill axis {dim} of a tensor {shape}")
        first = self.sizes(attributes, shape)[0]
        return self.kept((*shape[:dim], first, *shape[dim + 1 :]), dim)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        shape, dim = build.types[node.inputs[0]].shape, node.attributes["dim"]
        self.shape(node.attributes, [shape])
        if dim in build.free_axes(node.inputs[0]):
            self._lower_parts_of_the_batch(node, build)
            return
        begin = 0
        for place, size in enumerate(self.sizes(node.attributes, shape)):
            part = self.kept((*shape[:dim], size, *shape[dim + 1 :]), dim)
            starts, stops = [0] * len(shape), [END] * len(shape)
            starts[dim], stops[dim] = begin, begin + size
            ranges = {
                "starts": tuple(starts),
                "stops": tuple(stops),
                "steps": (1,) * len(shape),
                "shape": with_free(part, node),
            }
            rearrange.emit(node, build, ranges, name="slice", id=f"{node.id}:{place}")
            begin += size

    def _lower_parts_of_the_batch(self, node: PreparedNode, build: Builder) -> None:
        """Equal parts as places of an axis of their own: their length stays free."""
        shape, dim = build.types[node.inputs[0]].shape, node.attributes["dim"]
        sizes = self.sizes(node.attributes, shape)
        if node.free != (dim,) or len(set(sizes)) != 1:
            raise Unsupported(f"its parts of axis {dim} follow the batch, and are not equal")
        apart = (*shape[:dim], len(sizes), -1, *shape[dim + 1 :])
        place = f"{node.id}.parts"
        whole = replace(node, free=(dim + 1,))
        rearrange.emit(whole, build, {"sizes": apart}, name="reshape", id=place)
        build.free[place] = (dim + 1,)
        for k in range(len(sizes)):
            ranges = {
                "starts": tuple(k * (i == dim) for i in range(len(apart))),
                "stops": tuple(k + 1 if i == dim else END for i in range(len(apart))),
                "steps": (1,) * len(apart),
                "shape": (*apart[:dim], *apart[dim + 1 :]),
            }
            part = replace(node, inputs=(place,))
            rearrange.emit(part, build, ranges, name="slice", id=f"{node.id}:{k}")


def equal_parts(length: int, size: int) -> tuple[int, ...]:
    """`length` in parts of `size`, the last one smaller where it does not fit."""
    whole, rest = divmod(length, size)
    return (size,) * whole + ((rest,) if rest else ())
