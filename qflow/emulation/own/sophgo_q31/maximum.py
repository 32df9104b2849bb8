"""maximum: on CV18xx the larger after each operand's multiplier; a number is compared as it is."""

from __future__ import annotations

from qflow.emulation.ops.maximum import Maximum as General
from qflow.emulation.own.sophgo_q31._extreme import Extreme


class Maximum(Extreme, General):
    function = "maximum"
