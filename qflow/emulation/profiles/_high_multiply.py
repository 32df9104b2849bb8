"""MultiplyByQuantizedMultiplier of TFLite: a rounded high product, then a rounded shift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.integer_profile import IntegerProfile
from qflow.emulation.profile import Constants, Limits, saturate

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.line import Line
    from qflow.emulation.profile import Unary

BITS = 31
ACCUMULATOR_BITS = 32
SHIFT_LEAST, SHIFT_MOST = 1, 62
"""Shifts of QuantizeMultiplier are 30 to the left to 31 to the right; here 31 more."""


class HighMultiply(IntegerProfile):
    """`y = shifted(high(acc << left, multiplier), right)`.

    With M = f * 2^e, f in [0.5, 1): multiplier = round_half_away(f * 2^31), and 2^30 with one more
    e where that is 2^31; left = max(e, 0), right = max(-e, 0) (`QuantizeMultiplier`). The constant
    `shift` is 31 - e. A ratio below 2^-32 is multiplier 0.

    `high(a, b)` is `a * b / 2^31` rounded half up, which is what
    `SaturatingRoundingDoublingHighMul` comes to: it adds 2^30, or 1 - 2^30 below 0, and truncates.
    Our choice: `acc << left` saturates where TFLite leaves an int32 overflow undefined.
    """

    bits = BITS
    shifts = (SHIFT_LEAST, SHIFT_MOST)

    def multiply_shift(
        self, values: np.ndarray, multiplier: np.ndarray, shift: np.ndarray
    ) -> np.ndarray:
        left, right = np.maximum(BITS - shift, 0), np.maximum(shift - BITS, 0)
        raised = saturate(values << left, ACCUMULATOR_BITS)
        high = (raised * multiplier + (1 << (BITS - 1))) >> BITS
        return self.shifted(high, right)

    def line(self, prefix: str, constants: Constants, limits: Limits) -> Line | None:
        multiplier, shift = (
            constants[f"{prefix}{n}"].astype(np.int64) for n in ("multiplier", "shift")
        )
        saturates = _saturates(prefix, multiplier, shift, limits)
        return None if saturates else super().line(prefix, constants, limits)

    def _fast(
        self, prefix: str, constants: Constants, limits: Limits, total: int, device: Any
    ) -> Unary:
        multiplier, shift = (
            constants[f"{prefix}{n}"].astype(np.int64) for n in ("multiplier", "shift")
        )
        if not _saturates(prefix, multiplier, shift, limits):
            return self._without_saturation(prefix, constants, limits, total, device)
        import torch

        def run(x: Tensor) -> Tensor:
            found = self.multiply_shift(x.long().cpu().numpy(), multiplier, shift)
            return torch.from_numpy(np.clip(found, limits.low, limits.high)).double().to(device)

        return run

    def _without_saturation(
        self, prefix: str, constants: Constants, limits: Limits, total: int, device: Any
    ) -> Unary:
        """`_fast` of values that do not saturate when they are raised."""
        return super()._fast(prefix, constants, limits, total, device)

    def shifted(self, high: np.ndarray, right: np.ndarray) -> np.ndarray:
        """`high / 2^right`, rounded as the kernels do."""
        raise NotImplementedError


def _saturates(prefix: str, multiplier: np.ndarray, shift: np.ndarray, limits: Limits) -> bool:
    """Whether a value that saturates when it is raised could be seen in the result.

    Behind the multipliers that `derive` gives it is clamped anyway: of the last rescale, which
    alone is clamped to a grid.
    """
    raised = limits.bound << int(max(BITS - shift.min(), 0))
    normal = (multiplier == 0) | (multiplier >= 1 << (BITS - 1)) | (shift >= BITS)
    return raised >= 1 << BITS and not (not prefix and bool(normal.all()))
