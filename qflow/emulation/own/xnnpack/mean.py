"""mean: the mean of XNNPACK."""

from __future__ import annotations

from qflow.emulation.own.tflite import mean
from qflow.emulation.own.xnnpack._averaged import Averaged


class Mean(Averaged, mean.Mean):
    """As the general operator."""
