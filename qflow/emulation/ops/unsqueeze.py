"""unsqueeze: a new axis of one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Example, Unsupported, form
from qflow.emulation.ops._moving import Moving
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor


class Unsqueeze(Moving):
    """Attribute: dim, where the new axis is, not negative."""

    name = "unsqueeze"
    fields = form(dim="axis")
    functions = ("torch.unsqueeze", "torch.Tensor.unsqueeze", "torch.Tensor.unsqueeze_")
    examples = (
        Example(((2, 3),), {"dim": 1}, written=("x.unsqueeze(1)", "torch.unsqueeze(x, dim=-2)")),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return {"dim": argument(args, kwargs, 1, "dim", 0) % (len(shapes[0]) + 1)}

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        shape, dim = tuple(shapes[0]), attributes["dim"]
        if dim > len(shape):
            raise Unsupported(f"axis {dim} cannot be new in a tensor {shape}")
        return (*shape[:dim], 1, *shape[dim:])

    def move(self, attributes: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        return np.expand_dims(x, attributes["dim"])

    def fast_move(self, attributes: Mapping[str, Any], x: Tensor) -> Tensor:
        return x.unsqueeze(attributes["dim"])
