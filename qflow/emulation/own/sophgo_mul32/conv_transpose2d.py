"""conv_transpose2d: a multiplier and a shift per output channel; halves go away from zero."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qflow.emulation.ops import conv_transpose2d as general
from qflow.emulation.own.sophgo_mul32 import _gemm
from qflow.emulation.own.sophgo_mul32._convolution import Away, PerChannel

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class ConvTranspose2d(Away, PerChannel, general.ConvTranspose2d):
    """The device sums in one step and requantizes in a second, which rounds otherwise."""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        weight = general._outputs_first(_gemm.check(node), node.attributes["groups"])
        super().lower(replace(node, weight=weight), build)
