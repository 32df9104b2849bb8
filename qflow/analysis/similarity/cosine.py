"""cosine: the cosine of the angle between the two, all batches taken as one vector."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, ClassVar

from qflow.analysis.similarity import Similarity

if TYPE_CHECKING:
    import numpy as np


class Cosine(Similarity):
    """a.b / (|a| |b|), from -1 to 1; 1 is the same direction. Score: 1 - cosine."""

    higher_is_closer: ClassVar[bool] = True

    def sums(self, baseline: np.ndarray, changed: np.ndarray) -> list[float]:
        a, b = baseline.ravel(), changed.ravel()
        apart = a - b
        return [float(a @ b), float(a @ a), float(b @ b), float(apart @ apart)]

    def result(self) -> float:
        """Two tensors that are all 0 point the same way; one alone points nowhere."""
        product, a, b, apart = self.state
        if apart == 0.0:
            return 1.0
        size = sqrt(a) * sqrt(b)
        return min(1.0, max(-1.0, product / size)) if size else 0.0

    def score(self) -> float:
        return 1.0 - self.result()
