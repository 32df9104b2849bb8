"""tie_rounding: the value lies halfway between two steps, and the lanes round it apart."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from qflow.analysis.causes import Case, Cause

NEAR = 2.0**-16
"""Relative to the value: float32 sums on the way to it lie closer than that."""


class TieRounding(Cause):
    rank: ClassVar[int] = 5
    says: ClassVar[str] = "the value is halfway between two steps, and the lanes round it apart"

    def share(self, case: Case) -> float:
        return float(np.mean(from_tie(case) <= NEAR * (1 + np.abs(case.exact))))


def from_tie(case: Case) -> np.ndarray:
    """How far each value lies from the next tie, in steps."""
    distance: np.ndarray = np.abs(case.exact - np.floor(case.exact) - 0.5)
    return distance
