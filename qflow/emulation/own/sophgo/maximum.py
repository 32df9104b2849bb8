"""maximum: of the raw integers, also where the grids of the operands differ."""

from __future__ import annotations

from qflow.emulation.ops import maximum as general
from qflow.emulation.own.sophgo._extreme import Extreme


class Maximum(Extreme, general.Maximum):
    """Two tensors, or a tensor and a number."""

    function = "maximum"
