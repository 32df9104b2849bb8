"""linear: of CV18xx: one 31-bit multiplier for the layer, two roundings."""

from __future__ import annotations

from qflow.emulation.builder import Builder
from qflow.emulation.ops.linear import Linear as General
from qflow.emulation.own.sophgo_q31 import _layer
from qflow.quantization.prepared import PreparedNode


class Linear(General):
    def lower(self, node: PreparedNode, build: Builder) -> None:
        _layer.lower(self, node, build, per_channel=False)
