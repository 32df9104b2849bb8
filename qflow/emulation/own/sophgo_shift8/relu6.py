"""relu6: of BM1684; what lies above zero, times one as a multiplier and a shift."""

from __future__ import annotations

from qflow.emulation.ops.relu6 import Relu6 as General
from qflow.emulation.own.sophgo_shift8._rectified import Rectified


class Relu6(Rectified, General):
    """Becomes a relu."""
