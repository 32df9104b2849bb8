"""add: XNNPACK's qs8-vadd; int16 is left to the built-in kernels."""

from __future__ import annotations

from qflow.emulation.own.tflite_builtin import add
from qflow.emulation.own.xnnpack._sums import XnnpackSum


class Add(XnnpackSum, add.Add):
    """As the general operator."""
