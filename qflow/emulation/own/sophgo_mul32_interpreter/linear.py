"""linear: the interpreter rounds halves up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qflow.emulation.op import Call, Fast, Range
from qflow.emulation.ops import linear as general
from qflow.emulation.own.sophgo_mul32 import linear as chip


class Linear(chip.Linear):
    """As on the chip, but for the rounding, which is the profile's."""

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return general.Linear.oracle(self, call, *operands)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return general.Linear.fast(self, call, ranges, device)
