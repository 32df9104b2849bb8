"""minimum: of BM1684 as its compiler's interpreter has it: of the raw integers."""

from __future__ import annotations

from qflow.emulation.builder import Builder
from qflow.emulation.own.sophgo.minimum import Minimum as General
from qflow.quantization.prepared import PreparedNode


class Minimum(General):
    def lower(self, node: PreparedNode, build: Builder) -> None:
        super().lower(node, build)
        build.notes.append(f"{node.id}: as the interpreter of BM1684; its chip model differs")
