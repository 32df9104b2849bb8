"""conv_transpose2d: the interpreter holds its result in int8, also where the output is unsigned."""

from __future__ import annotations

from qflow.emulation.builder import Builder
from qflow.emulation.own.sophgo_shift8 import _layer
from qflow.emulation.own.sophgo_shift8.conv_transpose2d import ConvTranspose2d as Chip
from qflow.emulation.sophgo.shift8 import INT8
from qflow.quantization.prepared import PreparedNode


class ConvTranspose2d(Chip):
    def lower(self, node: PreparedNode, build: Builder) -> None:
        _layer.lower(self, node, build, INT8)
