"""repeat: a tensor laid out several times along its axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Example, Unsupported, form
from qflow.emulation.ops._moving import Moving
from qflow.emulation.ops._sizes import sizes_of

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Repeat(Moving):
    """Attribute: times, how often along each axis; more of them than axes add axes in front."""

    name = "repeat"
    fields = form(times="sizes")
    functions = ("torch.Tensor.repeat", "torch.tile", "torch.Tensor.tile")
    examples = (
        Example(
            ((2, 1, 3),),
            {"times": (1, 4, 2)},
            written=("x.repeat(1, 4, 2)", "x.repeat((1, 4, 2))", "torch.tile(x, (4, 2))"),
        ),
        Example(((2, 3),), {"times": (2, 1, 1)}, written=("x.repeat(2, 1, 1)",)),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        times = sizes_of(args, kwargs)
        return {"times": (1,) * (len(shapes[0]) - len(times)) + times}

    def settled(
        self, node: PreparedNode, shape: tuple[int, ...], free: tuple[int, ...]
    ) -> Mapping[str, Any]:
        times = node.attributes["times"]
        new = len(times) - len(shape)
        if any(i - new not in free for i in node.free):
            raise Unsupported("it repeats values once per sample: only constants can")
        return {"times": times}

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        shape, times = tuple(shapes[0]), attributes["times"]
        if len(times) < len(shape):
            raise Unsupported(f"{times} are not times for every axis of a tensor {shape}")
        old = (*(1,) * (len(times) - len(shape)), *shape)
        return tuple(s * t for s, t in zip(old, times, strict=True))

    def move(self, attributes: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        return np.tile(x, attributes["times"])

    def fast_move(self, attributes: Mapping[str, Any], x: Tensor) -> Tensor:
        return x.repeat(attributes["times"])
