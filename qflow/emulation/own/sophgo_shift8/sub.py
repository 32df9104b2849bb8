"""sub: of BM1684; each term has a multiplier and a shift, and is rounded by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.ops.sub import Sub as General
from qflow.emulation.own.sophgo_shift8._terms import Terms
from qflow.emulation.sophgo.settle import STAYS_FLOAT


class Sub(Terms, General):
    sign = -1

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if STAYS_FLOAT in attributes:
            return "its threshold is below that of an operand: float32 on BM1684"
        return super().float_only(attributes, shapes)
