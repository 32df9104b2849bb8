"""exp: EXP, from a table."""

from __future__ import annotations

from qflow.emulation.ops import exp
from qflow.emulation.own.tflite._looked_up import LookedUp


class Exp(LookedUp, exp.Exp):
    """As the general operator."""
