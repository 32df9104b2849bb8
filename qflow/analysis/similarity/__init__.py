"""Similarity: how far one tensor is from another; one file each, the file's name is the metric's.

Each class inherits from `Similarity`: `update(baseline, changed)` takes float tensors batch by
batch, `result()` is the value over all of them, `score()` says how much worse that is, larger for
worse. Everything is summed in float64. `state` is all there is to keep when a measurement stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import numpy as np


@dataclass
class Similarity:
    """A metric at work on one pair of tensors."""

    state: Sequence[float] = ()
    """Sums over the batches so far; empty before the first."""

    higher_is_closer: ClassVar[bool] = False
    """Direction: True for a similarity such as the cosine, False for an error."""

    def update(self, baseline: np.ndarray, changed: np.ndarray) -> None:
        """Take in one batch: float64 tensors of one shape [N, ...]; `baseline` is the float one."""
        new = self.sums(baseline, changed)
        self.state = [
            self.join(a, b) for a, b in zip(self.state or [0.0] * len(new), new, strict=True)
        ]

    def sums(self, baseline: np.ndarray, changed: np.ndarray) -> list[float]:
        """What one batch contributes."""
        raise NotImplementedError

    def join(self, before: float, new: float) -> float:
        """How two contributions become one."""
        return before + new

    def result(self) -> float:
        """The metric over every batch taken in."""
        raise NotImplementedError

    def score(self) -> float:
        """How sensitive: larger is worse. For an error the error itself."""
        return self.result()
