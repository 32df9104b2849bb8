"""kl: the Kullback-Leibler divergence of the two as distributions, mean over the samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.analysis.similarity import Similarity

if TYPE_CHECKING:
    import numpy as np


class Kl(Similarity):
    """sum p log(p / q) in nats; p and q are the softmax of all elements of one sample.

    For logits [N, C] that is the divergence of the predicted classes; 0 is equal.
    """

    def sums(self, baseline: np.ndarray, changed: np.ndarray) -> list[float]:
        import numpy as np

        p, q = _log_softmax(baseline), _log_softmax(changed)
        # equal rows give exactly 0: the difference is taken before anything is multiplied
        each = (np.exp(p) * (p - q)).sum(axis=1)
        return [float(np.maximum(each, 0.0).sum()), float(len(each))]

    def result(self) -> float:
        total, samples = self.state
        return total / samples if samples else 0.0


def _log_softmax(x: np.ndarray) -> np.ndarray:
    """Rows of [N, everything else]."""
    import numpy as np

    rows = x.reshape(len(x), -1) if x.ndim > 1 and x.size else x.reshape(1, -1)
    if not rows.size:
        return rows
    rows = rows - rows.max(axis=1, keepdims=True)
    return rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))
