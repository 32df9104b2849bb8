"""minimum: of BM1684: the smaller of two raw integers, or of a product and a number."""

from __future__ import annotations

from qflow.emulation.ops.minimum import Minimum as General
from qflow.emulation.own.sophgo_shift8._extreme import Extreme


class Minimum(Extreme, General):
    function = "minimum"
