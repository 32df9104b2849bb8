"""l1: the mean magnitude of the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.analysis.similarity import Similarity

if TYPE_CHECKING:
    import numpy as np


class L1(Similarity):
    """sum |a - b| / number of elements; 0 is equal, in the unit of the tensor."""

    def sums(self, baseline: np.ndarray, changed: np.ndarray) -> list[float]:
        return [float(abs(baseline - changed).sum()), float(baseline.size)]

    def result(self) -> float:
        total, count = self.state
        return total / count if count else 0.0
