"""log: LOG, from a table."""

from __future__ import annotations

from qflow.emulation.ops import log
from qflow.emulation.own.tflite._looked_up import LookedUp


class Log(LookedUp, log.Log):
    """As the general operator."""
