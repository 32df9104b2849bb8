"""Raw: the larger or smaller of two integers, without their multipliers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qflow.emulation.op import Call, Fast, Range
from qflow.emulation.own.sophgo_q31._extreme import Extreme


class Raw(Extreme):
    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        if call.node.attributes["number"]:
            return super().oracle(call, *operands)
        a = call.node.attributes
        found = self.join(operands[0].astype(np.int64), operands[1].astype(np.int64))
        return np.clip(found, a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        if call.node.attributes["number"]:
            return super().fast(call, ranges, device)
        a = call.node.attributes
        return Fast(lambda x, y: self.join(x.float(), y.float()).clamp_(a["low"], a["high"]))
