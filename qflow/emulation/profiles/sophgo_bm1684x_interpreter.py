"""sophgo.bm1684x.interpreter: BM1684X and BM1688 as the vendor's interpreter computes."""

from __future__ import annotations

from qflow.emulation.profiles.sophgo_bm1684x import SophgoBm1684x


class SophgoBm1684xInterpreter(SophgoBm1684x):
    """As the chip, but for the halves of a matrix product, which go up; for averages at a border,
    which are those of the values inside; and for abs(-128), which is 128.
    """

    name = "sophgo.bm1684x.interpreter"
    own = ("sophgo_mul32_interpreter", "sophgo_mul32", "sophgo")
