"""batch_norm: on its own it is a depthwise convolution of one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.emulation.op import Unsupported
from qflow.emulation.ops import batch_norm as general
from qflow.emulation.own.sophgo_mul32 import _gemm
from qflow.emulation.sophgo.weights import per_channel

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class BatchNorm(general.BatchNorm):
    """Weight and bias per channel, already folded: `x * weight + bias`."""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        flat = _gemm.check(node)
        shape = build.operand(node, 0).shape
        axes = len(shape) - 2
        if axes not in (1, 2) or flat.size != shape[1]:
            raise Unsupported(f"a tensor {shape}: one factor per channel of an image or a row")
        weight = flat.reshape(-1, 1, *(1,) * axes)
        attributes = {
            "kernel": (1,) * axes,
            "stride": (1,) * axes,
            "dilation": (1,) * axes,
            "padding": (0,) * (2 * axes),
            "groups": int(flat.size),
        }
        weights = per_channel(weight, node.bias is not None)
        _gemm.emit(node, build, f"conv{axes}d", shape, weights, attributes)
