"""What the convolutions share that have no integer form yet: their attributes and their meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

from qflow.emulation.op import Op, Unsupported

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Convolution(Op):
    """Attributes: kernel, stride, padding, dilation (one number per axis), groups.

    Padding is the same on both sides of an axis, or the words `same` and `valid`.
    """

    role = "gemm"
    integer = False
    pattern_word = "conv"
    operands = (1, 2)
    weight_axis = 0
    function: ClassVar[str]
    """What it computes, below `torch.nn.functional`."""

    def attributes_of_module(self, module: Any) -> Mapping[str, Any]:
        if module.padding_mode != "zeros":
            raise Unsupported(f'padding_mode = "{module.padding_mode}": only "zeros" is known')
        padding = module.padding
        return {
            "kernel": tuple(module.kernel_size),
            "stride": tuple(module.stride),
            "padding": padding if isinstance(padding, str) else tuple(padding),
            "dilation": tuple(module.dilation),
            "groups": int(module.groups),
        }

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        raise Unsupported(f"a functional {self.name} has no place for its weight's scale: use nn")

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        a = node.attributes
        weight = None if node.weight is None else torch.from_numpy(node.weight)
        bias = None if node.bias is None else torch.from_numpy(node.bias)
        result: Tensor = attrgetter(self.function)(torch.nn.functional)(
            operands[0],
            weight,
            bias,
            stride=a["stride"],
            padding=a["padding"],
            dilation=a["dilation"],
            groups=a["groups"],
            **({"output_padding": a["output_padding"]} if "output_padding" in a else {}),
        )
        return result
