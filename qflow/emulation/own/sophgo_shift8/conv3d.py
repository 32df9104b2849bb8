"""conv3d: a convolution of BM1684: int8 weights and int16 bias at the accumulator's one shift."""

from __future__ import annotations

from qflow.emulation.builder import Builder
from qflow.emulation.ops.conv3d import Conv3d as General
from qflow.emulation.own.sophgo_shift8 import _layer
from qflow.quantization.prepared import PreparedNode


class Conv3d(General):
    def lower(self, node: PreparedNode, build: Builder) -> None:
        _layer.lower(self, node, build)
