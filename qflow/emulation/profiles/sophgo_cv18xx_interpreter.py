"""sophgo.cv18xx.interpreter: CV181x and CV183x as the interpreter of their compiler computes them.

It differs from `sophgo.cv18xx` in the larger and the smaller of two tensors, which it takes without
their multipliers.
"""

from qflow.emulation.profiles.sophgo_cv18xx import SophgoCv18xx


class SophgoCv18xxInterpreter(SophgoCv18xx):
    name = "sophgo.cv18xx.interpreter"
    own = ("sophgo_q31_interpreter", *SophgoCv18xx.own)
