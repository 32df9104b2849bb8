"""minimum: of BM1684, of two tensors or a number, as its compiler's interpreter has it."""

from __future__ import annotations

from qflow.emulation.ops.minimum import Minimum as General
from qflow.emulation.own.sophgo_shift8._extreme import Extreme


class Minimum(Extreme, General):
    function = "minimum"
    known = False
