"""permute: another order of the axes; the batch stays first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.op import Op, Unsupported


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
    )
    shares_scale = True

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        """Two numbers on a tensor of more axes are the two that `transpose` swaps.

        On two axes both readings of `(0, 1)` and `(1, 0)` touch the batch or do nothing.
        """
        rank = len(shapes[0])
        numbers = [*args[1:], *kwargs.values()]
        given = numbers[0] if len(numbers) == 1 else numbers
        if not isinstance(given, (tuple, list)) or not all(isinstance(d, int) for d in given):
            raise Unsupported(f"axes {given!r}: they must be whole numbers")
        axes = tuple(d % rank for d in given)
        dims = axes if len(axes) == rank and rank != 2 else _swapped(axes, rank)
        if sorted(dims) != list(range(rank)):
            raise Unsupported(f"axes {tuple(given)} do not name each of {rank} axes once")
        if dims[0] != 0:
            raise Unsupported(f"axes {tuple(given)} move the batch: it must stay first")
        return {"dims": dims}


def _swapped(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    if len(axes) != 2:
        raise Unsupported(f"axes {axes} do not name each of {rank} axes once")
    dims = list(range(rank))
    dims[axes[0]], dims[axes[1]] = axes[1], axes[0]
    return tuple(dims)
