"""sqnr: the power of the signal over the power of the difference, in dB."""

from __future__ import annotations

from math import inf, log10
from typing import TYPE_CHECKING, ClassVar

from qflow.analysis.similarity import Similarity

if TYPE_CHECKING:
    import numpy as np


class Sqnr(Similarity):
    """10 log10(sum a^2 / sum (a - b)^2), `a` the float tensor. Score: -sqnr.

    Infinite where nothing differs, minus infinite where the float tensor is 0 and the other not.
    """

    higher_is_closer: ClassVar[bool] = True

    def sums(self, baseline: np.ndarray, changed: np.ndarray) -> list[float]:
        signal, noise = baseline.ravel(), (baseline - changed).ravel()
        return [float(signal @ signal), float(noise @ noise)]

    def result(self) -> float:
        signal, noise = self.state
        if noise == 0.0:
            return inf
        return 10.0 * (log10(signal) - log10(noise)) if signal else -inf

    def score(self) -> float:
        return -self.result()
