"""neg: a table on CV18xx."""

from __future__ import annotations

from qflow.emulation.builder import Builder
from qflow.emulation.ops.neg import Neg as General
from qflow.emulation.own.sophgo import lookup
from qflow.quantization.prepared import PreparedNode


class Neg(General):
    def lower(self, node: PreparedNode, build: Builder) -> None:
        lookup.lower(node, build, lambda x: -x)
