"""maximum: of BM1684; of a number as its compiler's interpreter has it."""

from __future__ import annotations

from qflow.emulation.ops.maximum import Maximum as General
from qflow.emulation.own.sophgo_shift8._extreme import Extreme


class Maximum(Extreme, General):
    function = "maximum"
    known = True
