"""tosa.single: TOSA RESCALE with a 32-bit multiplier, rounded once, half up."""

from __future__ import annotations

from qflow.emulation.profiles._apply_scale_32 import ApplyScale32


class TosaSingle(ApplyScale32):
    """`apply_scale_32(acc, multiplier, shift, double_round = false)`, round = 2^(shift-1).

    Source: TOSA specification, RESCALE; equal to TFLite built with `TFLITE_SINGLE_ROUNDING`.
    """

    name = "tosa.single"
    own = ("tosa",)
