"""mean: MEAN, whose multiplier takes in the number of values."""

from __future__ import annotations

from qflow.emulation.ops import mean
from qflow.emulation.own.tflite import _mean


class Mean(_mean.Mean, mean.Mean):
    """As the general operator."""
