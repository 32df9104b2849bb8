"""abs: the interpreter gives 128 for -128."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qflow.emulation.op import Call, Fast, Range
from qflow.emulation.own.sophgo_mul32 import abs as chip


class Abs(chip.Abs):
    """Its output is a byte without sign where that happens."""

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        low, high = ranges[0]
        return 0, max(abs(low), abs(high))

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return np.abs(operands[0].astype(np.int64))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return Fast(lambda x: x.float().abs())
