"""mse: the mean square of the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.analysis.similarity import Similarity

if TYPE_CHECKING:
    import numpy as np


class Mse(Similarity):
    """sum (a - b)^2 / number of elements; 0 is equal, in the square of the tensor's unit."""

    def sums(self, baseline: np.ndarray, changed: np.ndarray) -> list[float]:
        apart = (baseline - changed).ravel()
        return [float(apart @ apart), float(apart.size)]

    def result(self) -> float:
        total, count = self.state
        return total / count if count else 0.0
