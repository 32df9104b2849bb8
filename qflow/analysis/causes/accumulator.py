"""accumulator: the sum leaves the width of the accumulator."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from qflow.analysis.causes import Case, Cause

WIDTH = 32


class Accumulator(Cause):
    rank: ClassVar[int] = 3
    says: ClassVar[str] = "the sum does not fit the accumulator, which saturates in one lane"

    def share(self, case: Case) -> float:
        if not case.accumulator.size:
            return 0.0
        bits = int(case.node.attributes.get("accumulator_bits", WIDTH))
        return float(np.mean(np.abs(case.accumulator) > (1 << (bits - 1)) - 1))
