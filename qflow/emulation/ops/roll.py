"""roll: values moved along axes; what leaves at one end enters at the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Example, Unsupported, form
from qflow.emulation.ops._moving import Moving
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor


class Roll(Moving):
    """Attributes: shifts, and dims (none negative), one for each."""

    name = "roll"
    fields = form(shifts="offsets", dims="axes")
    functions = ("torch.roll", "torch.Tensor.roll")
    examples = (
        Example(
            ((2, 4, 5, 3),),
            {"shifts": (-2, 1), "dims": (1, 2)},
            written=("torch.roll(x, shifts=(-2, 1), dims=(1, 2))", "x.roll((-2, 1), (1, -2))"),
        ),
        Example(((2, 6),), {"shifts": (1,), "dims": (1,)}, written=("torch.roll(x, 1, -1)",)),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        shifts = _numbers(argument(args, kwargs, 1, "shifts", ()))
        dims = _numbers(argument(args, kwargs, 2, "dims", ()))
        if len(shifts) != len(dims):
            raise Unsupported("without dims it mixes all axes: name one axis per shift")
        return {"shifts": shifts, "dims": tuple(d % len(shapes[0]) for d in dims)}

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        shifts, dims, shape = attributes["shifts"], attributes["dims"], tuple(shapes[0])
        if len(shifts) != len(dims) or any(d >= len(shape) for d in dims):
            raise Unsupported(f"shifts {shifts} along {dims} do not fit a tensor {shape}")
        return shape

    def move(self, attributes: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        return np.roll(x, attributes["shifts"], attributes["dims"])

    def fast_move(self, attributes: Mapping[str, Any], x: Tensor) -> Tensor:
        return x.roll(attributes["shifts"], attributes["dims"])


def _numbers(value: Any) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)
