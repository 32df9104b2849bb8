"""add: of BM1684; each term has a multiplier and a shift, and is rounded by itself."""

from __future__ import annotations

from qflow.emulation.ops.add import Add as General
from qflow.emulation.own.sophgo_shift8._terms import Terms


class Add(Terms, General):
    sign = 1
