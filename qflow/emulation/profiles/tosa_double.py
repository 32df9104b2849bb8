"""tosa.double: TOSA RESCALE with a 32-bit multiplier, rounded twice."""

from __future__ import annotations

from qflow.emulation.profiles._apply_scale_32 import ApplyScale32


class TosaDouble(ApplyScale32):
    """`apply_scale_32(acc, multiplier, shift, double_round = true)`.

    round = 2^(shift-1), and above a shift of 31 also +2^30 for acc >= 0 and -2^30 below: what
    rounding the high product first comes to. Source: TOSA specification, RESCALE with rounding
    mode DOUBLE_ROUND; equal to TFLite's reference kernels in their default build.
    """

    name = "tosa.double"
    own = ("tosa",)
    double_rounding = True
