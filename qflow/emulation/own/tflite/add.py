"""add: ADD, by a common grid 20 bits finer, or 15 at int16."""

from __future__ import annotations

from qflow.emulation.ops import add
from qflow.emulation.own.tflite._sums import TfliteSum


class Add(TfliteSum, add.Add):
    """As the general operator."""
