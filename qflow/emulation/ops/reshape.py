"""reshape: another shape over the same values; in integers the batch stays free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation import rearrange
from qflow.emulation.op import EXACT, MOVED, Call, Example, Fast, Op, Range, Unsupported, form
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor, nn

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Reshape(Op):
    """Attribute: shape, the sizes behind the batch, none of them -1.

    Where the batch does not stay the first size: sizes, all of them; that has no integer form.
    """

    name = "reshape"
    role = "shape"
    functions = (
        "torch.reshape",
        "torch.Tensor.reshape",
        "torch.Tensor.view",
        "torch.Tensor.unflatten",
        "torch.unflatten",
    )
    modules = ("torch.nn.Unflatten",)
    shares_scale = True
    rearranges = True
    fields = form(shape="sizes")
    within = EXACT
    keeps_type = True
    reads = MOVED
    writes = MOVED
    examples = (
        Example(
            ((2, 3, 4, 5),),
            {"shape": (12, 5)},
            written=("x.view(2, 12, 5)", "x.reshape(x.size(0), -1, 5)", "x.reshape((-1, 12, 5))"),
        ),
        Example(
            ((2, 24),),
            {"shape": (2, 3, 4)},
            written=("torch.reshape(x, (-1, 2, 3, 4))", "x.unflatten(1, (2, -1, 4))"),
        ),
    )
    float_examples = (
        Example(
            ((2, 4, 5),), {"sizes": (4, 2, 5)}, written=("x.view(4, 2, 5)", "x.reshape(-1, 2, 5)")
        ),
    )

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        raise Unsupported("nn.Unflatten does not say how many axes there are: use x.unflatten")

    def attributes_of_function(
        self,
        function: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
    ) -> Mapping[str, Any]:
        if function != "unflatten":
            return self.attributes_of_call(args, kwargs, shapes)
        dim = argument(args, kwargs, 1, "dim", 0) % len(shapes[0])
        sizes = _filled(tuple(argument(args, kwargs, 2, "sizes", ())), shapes[0][dim])
        return _attributes((*shapes[0][:dim], *sizes, *shapes[0][dim + 1 :]), shapes[0])

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        """The first size may be -1 or the batch of the example; then it stays free."""
        given = args[1:] or kwargs.get("shape", kwargs.get("size", ()))
        sizes = given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else given
        if not sizes:
            raise Unsupported("reshape without a shape")
        if not all(isinstance(s, int) for s in sizes):
            raise Unsupported(f"sizes {tuple(sizes)}: they must be whole numbers")
        return _attributes(tuple(sizes), shapes[0])

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if "sizes" not in attributes:
            return ""
        first = attributes["sizes"][0]
        return f"the first size, {first}, must be the batch: only it stays free"

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        a = node.attributes
        return operands[0].reshape(a.get("sizes") or (len(operands[0]), *a["shape"]))

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


def _attributes(sizes: tuple[int, ...], shape: tuple[int, ...]) -> Mapping[str, Any]:
    """Sizes behind the batch where the first is the batch, else all of them."""
    batch, *rest = shape
    count = prod(rest)
    free = sizes[0] == batch or (sizes[0] == -1 and prod(sizes[1:]) == count)
    if free and -1 not in sizes[1:] and prod(sizes[1:]) == count:
        return {"shape": sizes[1:]}
    if free:
        return {"shape": _filled(sizes[1:], count)}
    return {"sizes": _filled(sizes, prod(shape))}


def _filled(sizes: tuple[int, ...], count: int) -> tuple[int, ...]:
    """`sizes` with the -1 replaced, so that they hold `count` values."""
    known = prod(s for s in sizes if s != -1)
    if sizes.count(-1) > 1 or known < 1 or count % known:
        raise Unsupported(f"{sizes} cannot hold {count} values")
    filled = tuple(count // known if s == -1 else s for s in sizes)
    if prod(filled) != count:
        raise Unsupported(f"{sizes} cannot hold {count} values")
    return filled
