"""clamp: of BM1684; from 0 it is a relu, whose limit the compiler drops; any other is float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.ops.clamp import Clamp as General
from qflow.emulation.own.sophgo_shift8._rectified import Rectified


class Clamp(Rectified, General):
    """Becomes a relu."""

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        return "" if attributes["low"] == 0 else "a lower bound other than 0: float32 on BM1684"
