"""conv3d: bfloat16 on CV18xx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.ops.conv3d import Conv3d as General


class Conv3d(General):
    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        return "a convolution of volumes: bfloat16 on CV18xx"
