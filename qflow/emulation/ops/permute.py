"""permute: another order of the axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation import rearrange
from qflow.emulation.op import Example, Unsupported, form
from qflow.emulation.ops._moving import Moving

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Permute(Moving):
    """Attribute: dims, the source axis of each output axis, none of them negative."""

    name = "permute"
    functions = (
        "torch.permute",
        "torch.Tensor.permute",
        "torch.transpose",
        "torch.Tensor.transpose",
        "torch.swapaxes",
        "torch.Tensor.swapaxes",
        "torch.swapdims",
        "torch.Tensor.swapdims",
        "torch.t",
        "torch.Tensor.t",
    )
    rearranges = True
    fields = form(dims="axes")
    examples = (
        Example(
            ((2, 3, 4, 5),),
            {"dims": (0, 2, 3, 1)},
            written=("x.permute(0, 2, 3, 1)", "torch.permute(x, (0, -2, -1, 1))"),
        ),
        Example(
            ((2, 3, 4),),
            {"dims": (0, 2, 1)},
            written=("x.transpose(1, 2)", "torch.transpose(x, dim0=-1, dim1=-2)"),
        ),
        Example(((2, 3, 4),), {"dims": (1, 0, 2)}, written=("x.permute(1, 0, 2)",)),
        Example(((2, 3),), {"dims": (1, 0)}, written=("x.t()", "x.transpose(0, 1)")),
    )

    def attributes_of_function(
        self,
        function: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
    ) -> Mapping[str, Any]:
        rank = len(shapes[0])
        numbers = [*args[1:], *(v for n, v in kwargs.items() if n != "input")]
        if function == "t":
            numbers = list(range(min(rank, 2)))
        given = numbers[0] if len(numbers) == 1 else numbers
        if not isinstance(given, (tuple, list)) or not all(isinstance(d, int) for d in given):
            raise Unsupported(f"axes {given!r}: they must be whole numbers")
        axes = tuple(d % rank for d in given)
        dims = axes if function == "permute" else _swapped(axes, rank)
        if sorted(dims) != list(range(rank)):
            raise Unsupported(f"axes {tuple(given)} do not name each of {rank} axes once")
        return {"dims": dims}

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return self.attributes_of_function("permute", args, kwargs, shapes)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        rearrange.emit(node, build, dict(node.attributes), dims=node.attributes["dims"])

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        dims = attributes["dims"]
        if sorted(dims) != list(range(len(shapes[0]))):
            raise Unsupported(f"axes {dims} are no order of {len(shapes[0])}")
        return tuple(shapes[0][d] for d in dims)

    def move(self, attributes: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        return x.transpose(attributes["dims"])

    def fast_move(self, attributes: Mapping[str, Any], x: Tensor) -> Tensor:
        return x.permute(attributes["dims"])


def _swapped(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    if len(axes) != 2:
        raise Unsupported(f"axes {axes} do not name each of {rank} axes once")
    dims = list(range(rank))
    dims[axes[0]], dims[axes[1]] = axes[1], axes[0]
    return tuple(dims)
