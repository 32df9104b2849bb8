"""conv1d: a convolution of CV18xx: a 31-bit multiplier per output channel, two roundings."""

from __future__ import annotations

from qflow.emulation.builder import Builder
from qflow.emulation.ops.conv1d import Conv1d as General
from qflow.emulation.own.sophgo_q31 import _layer
from qflow.quantization.prepared import PreparedNode


class Conv1d(General):
    def lower(self, node: PreparedNode, build: Builder) -> None:
        _layer.lower(self, node, build)
