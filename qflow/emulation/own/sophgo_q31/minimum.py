"""minimum: on CV18xx the smaller after each operand's multiplier; a number is compared as it is."""

from __future__ import annotations

from qflow.emulation.ops.minimum import Minimum as General
from qflow.emulation.own.sophgo_q31._extreme import Extreme


class Minimum(Extreme, General):
    function = "minimum"
