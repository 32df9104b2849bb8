"""relu6: alone it is bfloat16 on CV18xx; behind another operator it is a relu."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.ops.relu6 import Relu6 as General


class Relu6(General):
    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        return "alone it is bfloat16 on CV18xx"
