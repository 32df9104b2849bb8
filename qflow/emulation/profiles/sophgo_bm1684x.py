"""sophgo.bm1684x: BM1684X and BM1688 as the chip computes."""

from __future__ import annotations

from qflow.emulation.sophgo.profile import SophgoProfile


class SophgoBm1684x(SophgoProfile):
    """Multipliers of 32 bits for layers, of 8 bits for everything else, then one rounding shift.

    Halves go up, those of a matrix product away from zero. Every operator has its own rule, see
    `emulation/own/sophgo_mul32`. Measured on the vendor's chip model.
    """

    name = "sophgo.bm1684x"
    family = "mul32"
    own = ("sophgo_mul32", "sophgo")
