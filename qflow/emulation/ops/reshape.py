"""reshape: another shape over the same values; the batch stays free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation import rearrange
from qflow.emulation.op import EXACT, Call, Example, Fast, Op, Range, Unsupported, form

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Reshape(Op):
    """Attribute: shape, the sizes behind the batch, none of them -1."""

    name = "reshape"
    role = "shape"
    functions = ("torch.reshape", "torch.Tensor.reshape", "torch.Tensor.view")
    shares_scale = True
    rearranges = True
    fields = form(shape="sizes")
    within = EXACT
    examples = (
        Example(((2, 3, 4, 5),), {"shape": (12, 5)}),
        Example(((2, 24),), {"shape": (2, 3, 4)}),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        """The first size may be -1, the batch of the example, or anything that is no number."""
        given = args[1:] or kwargs.get("shape", ())
        sizes = given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else given
        if not sizes:
            raise Unsupported("reshape without a shape")
        batch, *rest = shapes[0]
        if isinstance(sizes[0], int) and sizes[0] not in (-1, batch):
            raise Unsupported(f"the first size, {sizes[0]}, must be the batch: only it stays free")
        if not all(isinstance(s, int) for s in sizes[1:]):
            raise Unsupported("a size behind the batch is computed while the model runs")
        return {"shape": _filled(tuple(sizes[1:]), prod(rest))}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0].reshape(len(operands[0]), *node.attributes["shape"])

    def lower(self, node: PreparedNode, build: Builder) -> None:
        rearrange.emit(node, build, dict(node.attributes))

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        batch, *rest = shapes[0]
        if prod(attributes["shape"]) != prod(rest):
            raise Unsupported(f"{attributes['shape']} cannot hold {prod(rest)} values per sample")
        return (batch, *attributes["shape"])

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return operands[0].reshape(len(operands[0]), *call.node.attributes["shape"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return Fast(lambda x: x.reshape(len(x), *call.node.attributes["shape"]))


def _filled(sizes: tuple[int, ...], count: int) -> tuple[int, ...]:
    """`sizes` with the -1 replaced, so that they hold `count` values."""
    known = prod(s for s in sizes if s != -1)
    if sizes.count(-1) > 1 or known < 1 or count % known:
        raise Unsupported(f"{sizes} cannot hold {count} values per sample")
    filled = tuple(count // known if s == -1 else s for s in sizes)
    if prod(filled) != count:
        raise Unsupported(f"{sizes} cannot hold {count} values per sample")
    return filled
