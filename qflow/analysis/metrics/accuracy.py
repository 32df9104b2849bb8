"""accuracy: the share of samples whose largest output is at the target's place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass
class Accuracy:
    """Top-1. The classes lie along axis 1 of the first output; what lies behind is more samples."""

    right: int = 0
    total: int = 0

    def update(self, outputs: Mapping[str, np.ndarray], target: np.ndarray) -> None:
        """Count a batch: the first of `outputs`, float32 [N, classes, ...]; `target`, [N, ...].

        Raises ValueError, in a sentence a user can act on, when the shapes do not fit.
        """
        name, scores = next(iter(outputs.items()))
        if scores.ndim < 2 or target.shape != (scores.shape[0], *scores.shape[2:]):
            raise ValueError(
                f"accuracy compares an output [N, classes] with targets [N]; `{name}` is "
                f"{list(scores.shape)} and the targets are {list(target.shape)}"
            )
        self.right += int((scores.argmax(axis=1) == target).sum())
        self.total += target.size

    def result(self) -> float:
        """Between 0 and 1. Raises ZeroDivisionError when nothing was counted."""
        return self.right / self.total
