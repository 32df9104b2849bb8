"""sophgo.bm1684.interpreter: BM1684 as the interpreter of its compiler computes it.

It differs from `sophgo.bm1684` where windows of an average pool reach over the border, adds the
bias of a 3-D convolution twice, and holds a transposed convolution in int8 where its output is
unsigned.
"""

from qflow.emulation.profiles.sophgo_bm1684 import SophgoBm1684


class SophgoBm1684Interpreter(SophgoBm1684):
    name = "sophgo.bm1684.interpreter"
    own = ("sophgo_shift8_interpreter", *SophgoBm1684.own)
