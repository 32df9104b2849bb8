"""Reciprocal: how TOSA divides the sums of an average pool."""

from __future__ import annotations

import numpy as np

from qflow.emulation.profile import Ratio
from qflow.emulation.profiles.tosa_single import TosaSingle

ONE = (1 << 30) + 1


class Reciprocal(TosaSingle):
    """`y = apply_scale_32(sum, multiplier, shift, false)` for a sum of `count` values.

    With k the bits of count - 1: multiplier = floor((2^30 + 1) * 2^k / count), shift = 30 + k.
    Scales have no part in it: the output lies on the grid of the input. Source: `reciprocal_scale`
    and AVG_POOL2D of the TOSA specification, whatever the rounding of RESCALE.
    """

    def __init__(self, own: tuple[str, ...]) -> None:
        self.own = own  # type: ignore[misc]

    def rescale_constants(self, ratio: Ratio) -> dict[str, np.ndarray]:
        bits = (ratio.count - 1).bit_length()
        return {
            "multiplier": np.array([(ONE << bits) // ratio.count], np.int32),
            "shift": np.array([30 + bits], np.int32),
        }
