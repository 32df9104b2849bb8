"""add: QLinearAdd, which rounds behind the zero point and multiplies and adds in one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.arrays import as_array
from qflow.emulation.float_profile import half_even
from qflow.emulation.op import Call, Fast, Range
from qflow.emulation.ops import add
from qflow.emulation.own.onnxruntime import _bytes

if TYPE_CHECKING:
    from torch import Tensor


class Add(add.Add):
    """`y = half_even(fma(a, r_a, fma(b, r_b, k)))` of raw integers, zero points included.

    r_a = float32(s_a / s_y), r_b likewise, k = float32(zp_y - fma(r_a, zp_a, float32(r_b * zp_b))).
    fma rounds to float32 once. Source: QLinearAdd of onnxruntime on x86-64 with AVX2, measured; a
    product with 8 bits is exact in float64, and so is its sum but for scales 2^20 apart. A tensor
    and a number, and wider operands, are as the profile adds.
    """

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        if len(operands) == 1 or not _bytes.only_in(call):
            return super().oracle(call, *operands)
        a = call.node.attributes
        first, second, constant = _ratios(call)
        right = _fma(operands[1], second, constant)
        total = _fma(operands[0], first, right)
        return np.clip(half_even(total), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        if len(call.sources) == 1 or not _bytes.only_in(call):
            return super().fast(call, ranges, device)
        a = call.node.attributes
        first, second, constant = (float(v) for v in _ratios(call))

        def run(x: Tensor, y: Tensor) -> Tensor:
            right = (y.double() * second + constant).float()
            total = (x.double() * first + right.double()).float()
            return total.round_().clamp_(a["low"], a["high"])

        return Fast(run)


def _ratios(call: Call) -> tuple[np.float32, np.float32, np.float32]:
    left, right, target = (
        call.constants[r][0] for r in ("left_scale", "right_scale", "target_scale")
    )
    first, second = np.float32(left / target), np.float32(right / target)
    behind = np.float32(second * np.float32(call.zero(1)))
    moved = _fma(np.array(call.zero(0)), first, behind)
    return first, second, np.float32(np.float32(call.zero_point) - moved)


def _fma(values: np.ndarray, factor: np.float32, addend: np.ndarray | np.float32) -> np.ndarray:
    exact = values.astype(np.float64) * np.float64(factor) + as_array(addend, np.float64)
    return as_array(exact.astype(np.float32))
