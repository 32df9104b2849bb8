"""Metric: the share of pixels that are classified right, for scores with the classes last."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class PixelAccuracy:
    """Counts pixels over batches."""

    def __init__(self) -> None:
        self.right = 0
        self.total = 0

    def update(self, outputs: Mapping[str, np.ndarray], target: np.ndarray) -> None:
        """`outputs["scores"]` is float32 [N, H, W, 2], `target` int64 [N, H, W]."""
        self.right += int((outputs["scores"].argmax(axis=-1) == target).sum())
        self.total += target.size

    def result(self) -> float:
        """Between 0 and 1."""
        return self.right / self.total
