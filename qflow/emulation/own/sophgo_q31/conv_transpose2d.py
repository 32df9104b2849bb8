"""conv_transpose2d: of CV18xx: a 31-bit multiplier per output channel, two roundings."""

from __future__ import annotations

from qflow.emulation.builder import Builder
from qflow.emulation.ops.conv_transpose2d import ConvTranspose2d as General
from qflow.emulation.own.sophgo_q31 import _layer
from qflow.quantization.prepared import PreparedNode


class ConvTranspose2d(General):
    def lower(self, node: PreparedNode, build: Builder) -> None:
        _layer.lower(self, node, build)
