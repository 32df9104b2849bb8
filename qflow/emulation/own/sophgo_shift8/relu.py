"""relu: of BM1684; what lies above zero, times one as a multiplier and a shift."""

from __future__ import annotations

from qflow.emulation.ops.relu import Relu as General
from qflow.emulation.own.sophgo_shift8._rectified import Rectified


class Relu(Rectified, General):
    """Becomes a relu."""
