"""batch_norm: a factor and an offset per channel: a depthwise convolution of one tap on CV18xx."""

from __future__ import annotations

from dataclasses import replace

from qflow.emulation.builder import Builder
from qflow.emulation.op import Unsupported, op
from qflow.emulation.ops.batch_norm import BatchNorm as General
from qflow.emulation.sophgo.reading import required
from qflow.quantization.prepared import PreparedNode


class BatchNorm(General):
    def lower(self, node: PreparedNode, build: Builder) -> None:
        axes = len(build.operand(node, 0).shape) - 2
        if axes not in (1, 2):
            raise Unsupported(f"a tensor of {axes + 2} axes: rows or images only")
        weight = required(node.weight, "weight").reshape(-1)
        taps = (1,) * axes
        attributes = {
            "kernel": taps,
            "stride": taps,
            "dilation": taps,
            "padding": (0,) * (2 * axes),
            "groups": weight.size,
        }
        depthwise = replace(
            node,
            op=f"conv{axes}d",
            attributes=attributes,
            weight=weight.reshape(-1, 1, *taps),
            bias=None if node.bias is None else node.bias.reshape(-1),
        )
        op(depthwise.op, build.profile.own).lower(depthwise, build)
