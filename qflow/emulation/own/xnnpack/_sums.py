"""What add and sub of XNNPACK share: 21-bit multipliers, one sum, one shift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.own.tflite._rules import Inner
from qflow.emulation.own.tflite._sums import Signs, TfliteSum
from qflow.emulation.profile import Constants, Limits, Profile, Use

if TYPE_CHECKING:
    from qflow.emulation.profile import Binary

MULTIPLIER_BITS = 20
LARGEST = 1 << (MULTIPLIER_BITS + 1)
SHIFT_LEAST, SHIFT_MOST = 12, 31
"""XNNPACK takes sums whose larger ratio is in [2^-10, 2^8)."""


class ShiftedSum(Inner):
    """`y = (l * m_l + r * m_r + 2^(shift-1)) >> shift`.

    With a = float32(s_l / s_y), b = float32(s_r / s_y) and 2^e <= max(a, b) < 2^(e+1):
    shift = 20 - e, m_l = half_even(a * 2^shift), m_r likewise, negated in a difference. Source:
    qs8-vadd of XNNPACK, measured. Our choice: a ratio outside of its range has the nearest shift.
    """

    name = "xnnpack.add"

    def __init__(self, outer: Profile, signs: Signs) -> None:
        super().__init__(outer)
        self.signs = signs

    def roles(self, use: Use) -> Mapping[str, str]:
        assert use == "add", "only a sum has this rule"
        return dict.fromkeys(("left_multiplier", "right_multiplier", "shift"), "int32")

    def check(self, role: str, constant: np.ndarray) -> str:
        low, high = (SHIFT_LEAST, SHIFT_MOST) if role == "shift" else (0, LARGEST)
        fine = constant.min() >= low and constant.max() <= high
        return "" if fine else f"{role} leaves {low}..{high}"

    def add_constants(
        self, left: np.ndarray, right: np.ndarray, output: np.ndarray, bits: int
    ) -> dict[str, np.ndarray]:
        ratios = [(s / output).astype(np.float32).astype(np.float64) for s in (left, right)]
        exponent = np.frexp(np.maximum(*ratios))[1] - 1
        shift = np.clip(MULTIPLIER_BITS - exponent, SHIFT_LEAST, SHIFT_MOST)
        multipliers = [np.clip(np.rint(np.ldexp(r, shift)), 0, LARGEST) for r in ratios]
        return {
            "left_multiplier": multipliers[0].astype(np.int32),
            "right_multiplier": multipliers[1].astype(np.int32),
            "shift": shift.astype(np.int32),
        }

    def add(self, left: np.ndarray, right: np.ndarray, constants: Constants) -> np.ndarray:
        first, second, shift = self._of(constants)
        return (left * first + right * second + (np.int64(1) << (shift - 1))) >> shift

    def fast_add(self, constants: Constants, left: int, right: Limits, device: Any) -> Binary:
        import torch

        first, second, shift = self._of(constants)
        # 24 bits times 9: with the rest of the sum below 2^53, and scaling by 2^-shift is exact
        one, other, half = (
            torch.from_numpy(np.ldexp(v.astype(np.float64), -shift)).to(device)
            for v in (first, second, np.int64(1) << (shift - 1))
        )

        def run(a: Any, b: Any) -> Any:
            total = (a.double() * one).add_(b.double() * other).add_(half)
            return total.floor_().clamp_(right.low, right.high).float()

        return run

    def _of(self, constants: Constants) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        first, second, shift = (
            constants[r].astype(np.int64) for r in ("left_multiplier", "right_multiplier", "shift")
        )
        return self.signs[0] * first, self.signs[1] * second, shift


class XnnpackSum(TfliteSum):
    """`ShiftedSum` of int8 operands; others are left to the built-in kernels."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        if {*reads, writes} != {"int8"}:
            return super().rule(profile, reads, writes, attributes)
        reflected = attributes.get("reflected", False)
        return ShiftedSum(profile, (self.sign, 1) if reflected else (1, self.sign))
