"""abs: of the byte on CV18xx, as BM1684X has it."""

from qflow.emulation.own.sophgo_mul32.abs import Abs as Same


class Abs(Same):
    pass
