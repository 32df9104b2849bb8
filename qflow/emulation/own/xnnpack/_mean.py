"""FloatMean: XNNPACK's rule of a mean, which rounds behind the zero point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.float_profile import half_even
from qflow.emulation.op import Call
from qflow.emulation.profile import Constants, Limits, Profile, Ratio, Use

if TYPE_CHECKING:
    from qflow.emulation.profile import Unary


LARGEST = np.float32(2.0**64)
"""Of a ratio: sums times it, and what is taken away from them, stay numbers."""


@dataclass(frozen=True)
class FloatMean(Profile):
    """`y = half_even(float32(sum of x with its zero point) * ratio + k)`, zero point included.

    ratio = float32(float32(1 / n) * float32(s_x / s_y)), k = float32(zp_y - float32(n * zp_x *
    ratio)), every step in float32: a tie goes to the even output integer, not to the even real
    one. The sums that come here are without the zero point: the rule puts it back. Source: MEAN of
    int8 under LiteRT's default delegate, measured.
    """

    own: tuple[str, ...]  # type: ignore[misc]
    offset: int = 0
    """n * zp_x."""
    zero: int = 0
    """zp_y."""

    name = "xnnpack.mean"

    def roles(self, use: Use) -> Mapping[str, str]:
        assert use == "rescale", "only a plain rescale has this rule"
        return {"ratio": "float32"}

    def check(self, role: str, constant: np.ndarray) -> str:
        fine = np.all(constant > 0) and np.all(constant <= LARGEST)
        return "" if fine else f"{role} is not a number above 0, or beyond 2^64"

    def rescale_constants(self, ratio: Ratio) -> dict[str, np.ndarray]:
        share = np.float32(1) / np.float32(ratio.count)
        value = share * (ratio.source[0] / ratio.target_scale).astype(np.float32)
        return {"ratio": np.atleast_1d(value).astype(np.float32)}

    def rescale(self, values: np.ndarray, constants: Constants) -> np.ndarray:
        ratio = constants["ratio"]
        real = (values + self.offset).astype(np.float32) * ratio + self._moved(ratio)
        return half_even(real) - self.zero

    def fast_rescale(self, constants: Constants, limits: Limits, device: Any) -> Unary:
        import torch

        ratio = torch.from_numpy(constants["ratio"]).to(device)
        moved = torch.from_numpy(self._moved(constants["ratio"])).to(device)

        def run(total: Any) -> Any:
            real = ((total.double() + self.offset).float() * ratio).add_(moved)
            return real.round_().sub_(self.zero).clamp_(limits.low, limits.high)

        return run

    def of(self, call: Call, count: int) -> FloatMean:
        """The rule of a node whose sums are of `count` values."""
        return replace(self, offset=count * call.zero(0), zero=call.zero_point)

    def _moved(self, ratio: np.ndarray) -> np.ndarray:
        behind = (np.float32(self.offset) * ratio).astype(np.float32)
        return (np.float32(self.zero) - behind).astype(np.float32)
