"""minimum: the interpreter of CV18xx compares the raw integers."""

from __future__ import annotations

from qflow.emulation.own.sophgo_q31.minimum import Minimum as Chip
from qflow.emulation.own.sophgo_q31_interpreter._raw import Raw


class Minimum(Raw, Chip):
    pass
