"""sub: of BM1684; each term has a multiplier and a shift, and is rounded by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.emulation.op import Unsupported
from qflow.emulation.ops.sub import Sub as General
from qflow.emulation.own.sophgo_shift8._terms import Terms
from qflow.emulation.sophgo.grids import target_scale
from qflow.emulation.sophgo.reading import source_scale

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Sub(Terms, General):
    sign = -1

    def lower(self, node: PreparedNode, build: Builder) -> None:
        target = target_scale(node)
        if "scalar" not in node.attributes and any(
            source_scale(node, i) > target for i in range(len(node.inputs))
        ):
            raise Unsupported("its threshold is below that of an operand: float32 on BM1684")
        super().lower(node, build)
