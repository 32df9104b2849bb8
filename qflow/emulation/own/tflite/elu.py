"""elu: ELU, from a table."""

from __future__ import annotations

from qflow.emulation.ops import elu
from qflow.emulation.own.tflite._looked_up import LookedUp


class Elu(LookedUp, elu.Elu):
    """As the general operator."""
