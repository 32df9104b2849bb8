"""sub: of BM1684; each term has a multiplier and a shift, and is rounded by itself."""

from __future__ import annotations

from qflow.emulation.ops.sub import Sub as General
from qflow.emulation.own.sophgo_shift8._terms import Terms


class Sub(Terms, General):
    sign = -1
