"""maximum: of BM1684: of the raw integers; of a number as its compiler's interpreter has it."""

from __future__ import annotations

from qflow.emulation.builder import Builder
from qflow.emulation.own.sophgo.maximum import Maximum as General
from qflow.quantization.prepared import PreparedNode


class Maximum(General):
    def lower(self, node: PreparedNode, build: Builder) -> None:
        super().lower(node, build)
        if len(node.inputs) == 1:
            build.notes.append(f"{node.id}: as the interpreter of BM1684; its chip model differs")
