"""multiplier_precision: the rescale's multiplier has so few bits that a near tie changes sides."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from qflow.analysis.causes import Case, Cause
from qflow.analysis.causes.tie_rounding import from_tie

SHORTEST = 2.0**-14
"""Relative error of a multiplier of 15 bits, the shortest of any profile, with one bit to spare."""


class MultiplierPrecision(Cause):
    rank: ClassVar[int] = 7
    says: ClassVar[str] = "the multiplier of the rescale is short, and the value is close to a tie"

    def share(self, case: Case) -> float:
        return float(np.mean(from_tie(case) <= SHORTEST * (1 + np.abs(case.exact))))
