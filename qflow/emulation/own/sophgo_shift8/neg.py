"""neg: of BM1684; a product with -1."""

from __future__ import annotations

from qflow.emulation.builder import Builder
from qflow.emulation.ops.neg import Neg as General
from qflow.emulation.own.sophgo_shift8._factor import lower_factor
from qflow.quantization.prepared import PreparedNode


class Neg(General):
    def lower(self, node: PreparedNode, build: Builder) -> None:
        lower_factor(node, build, -1.0)
