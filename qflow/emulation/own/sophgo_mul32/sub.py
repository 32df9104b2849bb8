"""sub: each operand rescaled by 8 bits and rounded by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.ops import sub as general
from qflow.emulation.own.sophgo_mul32._sum import Sum
from qflow.emulation.sophgo.settle import STAYS_FLOAT


class Sub(Sum, general.Sub):
    """Two tensors, a tensor and a constant tensor, or a tensor and a number."""

    sign = -1
    constant_on_output = True

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if STAYS_FLOAT in attributes:
            return "its threshold is below that of an operand: the device keeps it float"
        return super().float_only(attributes, shapes)
