"""sophgo.bm1684: the chip model of BM1684; multipliers of 8 bits or none, shifts to the right.

    RSR(v * m, r) = floor((v * m) / 2^r + 1/2)

Source: measured against the compiler TPU-MLIR 1.30.2 and its chip model, INT8 symmetric. Operators
have rules of their own in `own/sophgo_shift8`: weights of a layer carry the scales and its
accumulator is only shifted, an average pool corrects its border, one axis after the other.

Where the chip model gives something else, and what speaks for a defect of the compiled model rather
than another rule (graphs name such nodes in a note):
- a transposed convolution of one group writes its first channel alone, which agrees, as every
  channel of a depthwise one does;
- the larger or smaller of two tensors, or of a tensor and a number, overwrites its operand. Another
  reader of that tensor sees the other operand, or the low bytes of 16-bit products; with that taken
  into account, every value agrees;
- one network with a sine gives zeros.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.sophgo.asymmetric import with_zero_points
from qflow.emulation.sophgo.profile import SophgoProfile
from qflow.emulation.sophgo.search import LARGEST_SHIFT

if TYPE_CHECKING:
    from qflow.march import March
    from qflow.quantization.prepared import PreparedGraph

BYTE = (-128, 255)
"""Multipliers: 8 bits with a sign, and those of a pool without."""


class SophgoBm1684(SophgoProfile):
    name = "sophgo.bm1684"
    own = ("sophgo_shift8", "sophgo")
    family = "shift8"
    bits = 8
    shifts = (0, LARGEST_SHIFT)

    def settle(self, graph: PreparedGraph, march: March) -> PreparedGraph:
        return with_zero_points(super().settle(graph, march))

    def check(self, role: str, constant: np.ndarray) -> str:
        low, high = self.shifts if role.endswith("shift") else BYTE
        if constant.min() >= low and constant.max() <= high:
            return ""
        return f"{role} leaves {low}..{high}"
