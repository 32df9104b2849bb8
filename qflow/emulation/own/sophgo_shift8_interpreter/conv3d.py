"""conv3d: the interpreter adds the bias of BM1684's 3-D convolution twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from qflow.emulation.op import Call, Fast, Range
from qflow.emulation.own.sophgo_shift8.conv3d import Conv3d as Chip


class Conv3d(Chip):
    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return super().oracle(_twice(call), *operands)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return super().fast(_twice(call), ranges, device)


def _twice(call: Call) -> Call:
    """The call with a bias of twice the size, int16 and so within int32."""
    bias = call.constants["bias"].astype(np.int64) * 2
    return replace(call, constants={**call.constants, "bias": bias})
