"""cat: of BM1684; operands of another grid are multiplied and shifted before, as on BM1684X."""

from qflow.emulation.own.sophgo_mul32.cat import Cat as Same


class Cat(Same):
    pass
