"""conv_transpose2d: a transposed convolution of BM1684.

Depthwise the chip model agrees in every value; else it writes the first channel alone, and agrees
there.
"""

from __future__ import annotations

from qflow.emulation.builder import Builder
from qflow.emulation.ops.conv_transpose2d import ConvTranspose2d as General
from qflow.emulation.own.sophgo_shift8 import _layer
from qflow.quantization.prepared import PreparedNode


class ConvTranspose2d(General):
    def lower(self, node: PreparedNode, build: Builder) -> None:
        _layer.lower(self, node, build)
        if node.attributes["groups"] == 1:
            build.notes.append(f"{node.id}: the chip model of BM1684 gives its first channel alone")
