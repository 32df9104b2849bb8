"""sub: each operand rescaled by 8 bits and rounded by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Unsupported
from qflow.emulation.ops import sub as general
from qflow.emulation.own.sophgo_mul32._sum import Sum
from qflow.emulation.sophgo.grids import source_scale, target_scale

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Sub(Sum, general.Sub):
    """Two tensors, a tensor and a constant tensor, or a tensor and a number."""

    sign = -1
    constant_on_output = True

    def lower(self, node: PreparedNode, build: Builder) -> None:
        attributes: Mapping[str, Any] = node.attributes
        if "scalar" not in attributes:
            target = target_scale(node)
            wider = [i for i in range(len(node.inputs)) if source_scale(node, i) > target]
            if wider:
                raise Unsupported(
                    "its threshold is below that of an operand: the device keeps it float"
                )
        super().lower(node, build)
