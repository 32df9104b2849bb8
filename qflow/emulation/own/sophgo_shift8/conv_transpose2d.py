"""conv_transpose2d: a transposed convolution of BM1684, as its compiler's interpreter has it."""

from __future__ import annotations

from qflow.emulation.builder import Builder
from qflow.emulation.ops.conv_transpose2d import ConvTranspose2d as General
from qflow.emulation.own.sophgo_shift8 import _layer
from qflow.emulation.sophgo.shift8 import INT8
from qflow.quantization.prepared import PreparedNode


class ConvTranspose2d(General):
    """The result is held in int8 also where the output is unsigned."""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        _layer.lower(self, node, build, INT8)
        build.notes.append(f"{node.id}: as the interpreter of BM1684; its chip model differs")
