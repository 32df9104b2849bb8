"""maximum: of BM1684: the larger of two raw integers, or of a product and a number."""

from __future__ import annotations

from qflow.emulation.ops.maximum import Maximum as General
from qflow.emulation.own.sophgo_shift8._extreme import Extreme


class Maximum(Extreme, General):
    function = "maximum"
