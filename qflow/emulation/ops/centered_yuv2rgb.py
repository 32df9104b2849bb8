"""centered_yuv2rgb: a camera's centred YUV as the model's own input, behind an input stub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qflow.emulation.gemm_lowering import lower
from qflow.emulation.op import Op, Unsupported

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

_CONVOLUTION: Mapping[str, Any] = {
    "kernel": (1, 1),
    "stride": (1, 1),
    "padding": (0, 0, 0, 0),
    "dilation": (1, 1),
    "groups": 1,
}


class CenteredYuv2rgb(Op):
    """Attributes: swing, order. Becomes a 1x1 `conv2d` with int8 weights in an integer graph.

    Three roundings: of the weights to the steps of the field's operator, of the bias, and of the
    result. The first is the largest: see `docs/guide/colour.md` for the error in steps.
    """

    name = "centered_yuv2rgb"
    role = "elementwise"
    modules = ("qflow.quantization.colour.CenteredYuv2Rgb",)
    integer = False

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        weight, bias = torch.from_numpy(node.weight), torch.from_numpy(node.bias)
        x = operands[0]
        return torch.nn.functional.conv2d(x, weight.to(x.dtype), bias.to(x.dtype))

    def lower(self, node: PreparedNode, build: Builder) -> None:
        shape = build.operand(node, 0).shape
        if len(shape) != 4 or shape[1] != 3:
            raise Unsupported(f"it reads {shape}, not an image [N, 3, H, W]")
        convolution = replace(node, op="conv2d", attributes=_CONVOLUTION)
        lower(convolution, build, shape, axis=1)
