"""sub: SUB, by a common grid 20 bits finer, or 15 at int16."""

from __future__ import annotations

from qflow.emulation.ops import sub
from qflow.emulation.own.tflite._sums import TfliteSum


class Sub(TfliteSum, sub.Sub):
    """As the general operator."""
