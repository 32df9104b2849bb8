"""saturation: the value lies outside of the grid, and the lanes clamp it elsewhere."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from qflow.analysis.causes import Case, Cause
from qflow.dtype import DTYPES


class Saturation(Cause):
    rank: ClassVar[int] = 4
    says: ClassVar[str] = "the value lies outside of the grid, and the lanes clamp it differently"

    def share(self, case: Case) -> float:
        dtype = DTYPES[case.node.output.dtype]
        low = case.node.attributes.get("low", dtype.qmin)
        high = case.node.attributes.get("high", dtype.qmax)
        return float(np.mean((case.exact < low - 0.5) | (case.exact > high + 0.5)))
