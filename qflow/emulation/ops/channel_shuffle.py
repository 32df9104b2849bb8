"""channel_shuffle: channels of several groups laid out one of each in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Unsupported, form
from qflow.emulation.ops._moving import Moving
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


class ChannelShuffle(Moving):
    """Attribute: groups."""

    name = "channel_shuffle"
    fields = form(groups="count")
    modules = ("torch.nn.ChannelShuffle",)
    functions = ("torch.channel_shuffle", "torch.nn.functional.channel_shuffle")
    examples = (
        Example(
            ((2, 6, 3, 4),),
            {"groups": 2},
            written=(
                "F.channel_shuffle(x, 2)",
                "torch.channel_shuffle(x, 2)",
                "nn.ChannelShuffle(2)",
            ),
        ),
    )

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        return {"groups": int(module.groups)}

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return {"groups": int(argument(args, kwargs, 1, "groups", 1))}

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        shape, groups = tuple(shapes[0]), attributes["groups"]
        if len(shape) < 2 or shape[1] % groups:
            raise Unsupported(f"a tensor {shape} has no {groups} groups of channels")
        return shape

    def move(self, attributes: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        batch, channels, *rest = x.shape
        groups = attributes["groups"]
        parts = x.reshape(batch, groups, channels // groups, *rest)
        return parts.swapaxes(1, 2).reshape(x.shape)

    def fast_move(self, attributes: Mapping[str, Any], x: Tensor) -> Tensor:
        groups = attributes["groups"]
        return x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)
