"""channel_shuffle: channels of several groups laid out one of each in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class ChannelShuffle(Op):
    """Attribute: groups."""

    name = "channel_shuffle"
    role = "shape"
    integer = False
    shares_scale = True
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

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import channel_shuffle

        return channel_shuffle(operands[0], node.attributes["groups"])
