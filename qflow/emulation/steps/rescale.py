"""rescale: the same values on another grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qflow.emulation.op import CLAMP, Call, Constant, Fast, Op, Range
from qflow.emulation.ops import _rescaled


class Rescale(Op):
    """Attributes: low, high. Lowering puts it where operands of one grid lie on several."""

    name = "rescale"
    role = "elementwise"
    fields = CLAMP
    any_layout = True

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _rescaled.roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return _rescaled.oracle(call, call.centred(0, operands[0]))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return _rescaled.fast_each(call, _rescaled.reach(call, ranges), device)
