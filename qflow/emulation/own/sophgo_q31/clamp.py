"""clamp: bfloat16 on CV18xx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.ops.clamp import Clamp as General


class Clamp(General):
    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        return "bfloat16 on CV18xx"
