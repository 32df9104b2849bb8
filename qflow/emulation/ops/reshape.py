"""reshape: another shape over the same values; in integers the batch stays free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Unsupported, form
from qflow.emulation.ops._moving import Moving, with_free
from qflow.emulation.ops._sizes import filled
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from qflow.quantization.prepared import PreparedNode


class Reshape(Moving):
    """Attribute: shape, the sizes behind the batch, none of them -1.

    Where the batch does not stay the first size: sizes, all of them. In integers sizes, -1 where
    the size follows the batch, alone or with others merged into it.
    """

    name = "reshape"
    functions = (
        "torch.reshape",
        "torch.Tensor.reshape",
        "torch.Tensor.view",
        "torch.Tensor.unflatten",
        "torch.unflatten",
    )
    modules = ("torch.nn.Unflatten",)
    rearranges = True
    fields = form(sizes="offsets")
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
        sizes = filled(tuple(argument(args, kwargs, 2, "sizes", ())), shapes[0][dim])
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

    def settled(
        self, node: PreparedNode, shape: tuple[int, ...], free: tuple[int, ...]
    ) -> Mapping[str, Any]:
        a = node.attributes
        return {"sizes": with_free(a.get("sizes") or (shape[0], *a["shape"]), node)}

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return filled(_sizes(attributes, shapes[0]), prod(shapes[0]))

    def move(self, attributes: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        return x.reshape(_sizes(attributes, x.shape))

    def fast_move(self, attributes: Mapping[str, Any], x: Tensor) -> Tensor:
        return x.reshape(_sizes(attributes, tuple(x.shape)))


def _sizes(attributes: Mapping[str, Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    return attributes["sizes"] if "sizes" in attributes else (shape[0], *attributes["shape"])


def _attributes(sizes: tuple[int, ...], shape: tuple[int, ...]) -> Mapping[str, Any]:
    """Sizes behind the batch where the first is the batch, else all of them."""
    batch, *rest = shape
    count = prod(rest)
    free = sizes[0] == batch or (sizes[0] == -1 and prod(sizes[1:]) == count)
    if free and -1 not in sizes[1:] and prod(sizes[1:]) == count:
        return {"shape": sizes[1:]}
    if free:
        return {"shape": filled(sizes[1:], count)}
    return {"sizes": filled(sizes, prod(shape))}
