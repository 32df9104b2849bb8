"""SophgoProfile: what the profiles of all Sophgo processors share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.integer_profile import IntegerProfile
from qflow.emulation.profile import Constants, Limits
from qflow.emulation.sophgo.propagation import Family
from qflow.emulation.sophgo.rescale import fast_rescale
from qflow.emulation.sophgo.rounding import ShiftRounding, shift_right
from qflow.emulation.sophgo.search import search8
from qflow.emulation.sophgo.settle import settle

if TYPE_CHECKING:
    from qflow.emulation.line import Line
    from qflow.emulation.profile import Unary
    from qflow.march import March
    from qflow.quantization.prepared import PreparedGraph


class SophgoProfile(IntegerProfile):
    """`RSR(value * multiplier, shift)` with one rounding.

    Most operators have rules of their own, in the folders of `own`, and derive their constants
    themselves. What is derived here serves the others: a MulShift, 8 bits and a shift to the right.
    Source: the vendor's compiler, TPU-MLIR 1.30.2, measured.
    """

    family: ClassVar[Family]
    rounding: ClassVar[ShiftRounding] = "half_up"
    bits = 31
    shifts = (-32, 31)

    def settle(self, graph: PreparedGraph, march: March) -> PreparedGraph:
        return settle(graph, self.family)

    def derive(self, ratio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return search8(ratio, positive=True)

    def multiply_shift(
        self, values: np.ndarray, multiplier: np.ndarray, shift: np.ndarray
    ) -> np.ndarray:
        return shift_right(values * multiplier, shift, self.rounding)

    def line(self, prefix: str, constants: Constants, limits: Limits) -> Line | None:
        return None  # its roundings are others

    def fast_rescale(self, constants: Any, limits: Limits, device: Any) -> Unary:
        return fast_rescale(
            constants["multiplier"], constants["shift"], self.rounding, limits, device
        )
