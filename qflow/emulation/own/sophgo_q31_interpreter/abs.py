"""abs: the interpreter of CV18xx gives 128 for -128, as that of BM1684X."""

from qflow.emulation.own.sophgo_mul32_interpreter.abs import Abs as Same


class Abs(Same):
    pass
