"""conv2d: a convolution of an image batch, with whatever is fused behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Op, Unsupported
from qflow.emulation.ops._window import both_sides, pair, same

if TYPE_CHECKING:
    from torch import nn


class Conv2d(Op):
    """Attributes: kernel, stride, dilation (pairs), padding (top, left, bottom, right), groups."""

    name = "conv2d"
    role = "gemm"
    modules = ("torch.nn.Conv2d",)
    functions = ("torch.nn.functional.conv2d", "torch.conv2d")
    pattern_word = "conv"

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        m: Any = module
        if m.padding_mode != "zeros":
            raise Unsupported(f'padding_mode = "{m.padding_mode}": only "zeros" is integer')
        kernel, stride = pair(m.kernel_size, "kernel_size"), pair(m.stride, "stride")
        dilation = pair(m.dilation, "dilation")
        if m.padding == "same":
            padding = same(kernel, dilation)
        elif m.padding == "valid":
            padding = (0, 0, 0, 0)
        else:
            padding = both_sides(m.padding)
        return {
            "kernel": kernel,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "groups": int(m.groups),
        }

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        raise Unsupported("a functional conv2d has no place for its weight's scale: use nn.Conv2d")
