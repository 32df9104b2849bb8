"""bias_precision: one lane adds the bias as it is, the other on the accumulator's grid."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from qflow.analysis.causes import Case, Cause

SLACK = 2.0**-12
"""Steps that float32 sums are away from the exact value."""


class BiasPrecision(Cause):
    """The bias in floats moves the value over the tie that lies between the two integers."""

    rank: ClassVar[int] = 6
    says: ClassVar[str] = "one lane rounds the bias to the accumulator's grid, the other does not"

    def share(self, case: Case) -> float:
        if not np.any(case.bias_error):
            return 0.0
        tie = (case.ours + case.theirs) / 2
        with_float = case.exact - case.bias_error
        crosses = (case.exact - tie) * (with_float - tie) <= 0
        return float(np.mean(crosses | (np.abs(with_float - tie) <= SLACK)))
