"""sub: XNNPACK's qs8-vadd with a negated multiplier; int16 is left to the built-in kernels."""

from __future__ import annotations

from qflow.emulation.own.tflite import sub
from qflow.emulation.own.xnnpack._sums import XnnpackSum


class Sub(XnnpackSum, sub.Sub):
    """As the general operator."""
