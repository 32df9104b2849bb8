"""permute: another order of the axes; in integers the batch stays first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation import rearrange
from qflow.emulation.op import EXACT, MOVED, Call, Example, Fast, Op, Range, Unsupported, form

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Permute(Op):
    """Attribute: dims, the source axis of each output axis, none of them negative."""

    name = "permute"
    role = "shape"
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
    shares_scale = True
    rearranges = True
    fields = form(dims="axes")
    within = EXACT
    keeps_type = True
    reads = MOVED
    writes = MOVED
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
    )
    float_examples = (
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

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if attributes["dims"][0] == 0:
            return ""
        return f"axes {attributes['dims']} move the batch: it must stay first"

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0].permute(node.attributes["dims"])

    def lower(self, node: PreparedNode, build: Builder) -> None:
        rearrange.emit(node, build, dict(node.attributes), dims=node.attributes["dims"])

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        dims = attributes["dims"]
        if sorted(dims) != list(range(len(shapes[0]))) or dims[0] != 0:
            raise Unsupported(f"axes {dims} are no order of {len(shapes[0])} with the batch first")
        return tuple(shapes[0][d] for d in dims)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return operands[0].transpose(call.node.attributes["dims"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return Fast(lambda x: x.permute(call.node.attributes["dims"]))


def _swapped(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    if len(axes) != 2:
        raise Unsupported(f"axes {axes} do not name each of {rank} axes once")
    dims = list(range(rank))
    dims[axes[0]], dims[axes[1]] = axes[1], axes[0]
    return tuple(dims)
