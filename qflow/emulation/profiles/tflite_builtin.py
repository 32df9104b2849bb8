"""tflite.builtin: the optimized kernels of LiteRT on x86, rounded twice, both times half up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.integer_profile import FLOAT32_BITS
from qflow.emulation.line import exact_in_float64
from qflow.emulation.profile import Constants, Limits
from qflow.emulation.profiles._high_multiply import BITS, HighMultiply

if TYPE_CHECKING:
    from qflow.emulation.line import Line
    from qflow.emulation.profile import Unary


class TfliteBuiltin(HighMultiply):
    """The second rounding is half up: `(high + 2^(right-1)) >> right`.

    Source: convolution, depthwise, transposed convolution and fully connected of LiteRT 2.3.0 on
    x86-64 without delegates (the ruy library), measured. Operators whose optimized kernels round as
    the reference ones do have that rule in `own/tflite_builtin` and `own/tflite`.

    In one fraction: round = 2^(shift-1), and above a shift of 31 also 2^30.
    """

    name = "tflite.builtin"
    own = ("tflite_builtin", "tflite")

    def shifted(self, high: np.ndarray, right: np.ndarray) -> np.ndarray:
        return (high + ((np.int64(1) << right) >> 1)) >> right

    def line(self, prefix: str, constants: Constants, limits: Limits) -> Line | None:
        return None  # its halves are others

    def _without_saturation(
        self, prefix: str, constants: Constants, limits: Limits, total: int, device: Any
    ) -> Unary:
        import torch

        multiplier = constants[f"{prefix}multiplier"].astype(np.int64)
        shift = constants[f"{prefix}shift"].astype(np.int64)
        rounding = (np.int64(1) << shift >> 1) + np.where(shift > BITS, 1 << (BITS - 1), 0)
        carrier = torch.float32 if total < 1 << FLOAT32_BITS else torch.float64
        low, high = limits.low, limits.high
        # the rounding is at most 2^shift, as that of one rounding is: the same proof holds
        if exact_in_float64(multiplier, shift, limits):
            factor = torch.from_numpy(np.ldexp(multiplier.astype(np.float64), -shift)).to(device)
            half = torch.from_numpy(np.ldexp(rounding.astype(np.float64), -shift)).to(device)
            return lambda x: (x * factor).add_(half).floor_().clamp_(low, high).to(carrier)
        whole, right, added = (
            torch.from_numpy(a).to(device) for a in (multiplier, shift, rounding)
        )
        return lambda x: ((x.long() * whole + added) >> right).clamp_(low, high).to(carrier)
