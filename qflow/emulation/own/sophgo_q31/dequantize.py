"""dequantize: of CV18xx: the scale and the product are bfloat16."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.op import Call, Fast, Range
from qflow.emulation.sophgo.rounding import bf16_nearest, cast_out_bf16
from qflow.emulation.steps.dequantize import Dequantize as General

if TYPE_CHECKING:
    from torch import Tensor


class Dequantize(General):
    """No attributes. `bf16(q * bf16(S))`, as float32."""

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return cast_out_bf16(call.centred(0, operands[0]), scale(call.sources[0]))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        step = torch.from_numpy(bf16_nearest(scale(call.sources[0]))).to(device)
        zero = float(call.zero(0))

        def run(q: Tensor) -> Tensor:
            # torch rounds to bfloat16 as the rule does: nearest, halves to even
            return ((q.float() - zero + 0.0) * step).bfloat16().float()

        return Fast(run)
