"""sum: the sum of XNNPACK."""

from __future__ import annotations

from qflow.emulation.own.tflite import sum
from qflow.emulation.own.xnnpack._averaged import Averaged


class Sum(Averaged, sum.Sum):
    """`FloatMean`, whose ratio of a sum is not divided by the number of values."""
