"""prelu: of BM1684; slopes of 8 bits with one shift, as BM1684X has it."""

from qflow.emulation.own.sophgo_mul32.prelu import Prelu as Same


class Prelu(Same):
    pass
