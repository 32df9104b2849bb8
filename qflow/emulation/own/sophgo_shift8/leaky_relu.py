"""leaky_relu: of BM1684; a multiplier and a shift below zero, as BM1684X has it."""

from qflow.emulation.own.sophgo_mul32.leaky_relu import LeakyRelu as Same


class LeakyRelu(Same):
    pass
