"""atol: the largest difference of any element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.analysis.similarity import Similarity

if TYPE_CHECKING:
    import numpy as np


class Atol(Similarity):
    """max |a - b|; 0 is equal, in the unit of the tensor."""

    def sums(self, baseline: np.ndarray, changed: np.ndarray) -> list[float]:
        return [float(abs(baseline - changed).max(initial=0.0))]

    def join(self, before: float, new: float) -> float:
        return max(before, new)

    def result(self) -> float:
        return self.state[0]
