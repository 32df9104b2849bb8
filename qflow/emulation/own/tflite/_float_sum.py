"""FloatSum: TFLite's rule of a sum along axes, which is made in float32."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call
from qflow.emulation.profile import Constants, Limits, Profile, Ratio, Use

if TYPE_CHECKING:
    from qflow.emulation.profile import Unary


LARGEST = np.float32(2.0**64)
"""With it sums of int32 stay finite."""


@dataclass(frozen=True)
class FloatSum(Profile):
    """`y = half_away(float32(sum of x with its zero point) * ratio + k) + zp_y`.

    ratio = float32(s_x / s_y), k = float32(float32(-zp_x * ratio) * n), every step in float32. The
    sums that come here are without the zero point: the rule puts it back. Source: measured on SUM
    under the built-in kernels of LiteRT.
    """

    own: tuple[str, ...]  # type: ignore[misc]
    count: int = 0
    zero: int = 0
    """zp_x."""

    name = "tflite.sum"

    def roles(self, use: Use) -> Mapping[str, str]:
        assert use == "rescale", "only a plain rescale has this rule"
        return {"ratio": "float32"}

    def check(self, role: str, constant: np.ndarray) -> str:
        fine = np.all(constant > 0) and np.all(constant <= LARGEST)
        return "" if fine else f"{role} leaves 0..2^64"

    def rescale_constants(self, ratio: Ratio) -> dict[str, np.ndarray]:
        with np.errstate(over="ignore"):
            value = (ratio.source[0] / ratio.target_scale).astype(np.float32)
        tiny = np.finfo(np.float32).smallest_subnormal
        return {"ratio": np.atleast_1d(np.clip(value, tiny, LARGEST)).astype(np.float32)}

    def rescale(self, values: np.ndarray, constants: Constants) -> np.ndarray:
        ratio = constants["ratio"]
        total = (values + self.count * self.zero).astype(np.float32)
        real = (total * ratio + self._moved(ratio)).astype(np.float64)
        away: np.ndarray = np.copysign(np.floor(np.abs(real) + 0.5), real).astype(np.int64)
        return away

    def fast_rescale(self, constants: Constants, limits: Limits, device: Any) -> Unary:
        import torch

        ratio = torch.from_numpy(constants["ratio"]).to(device)
        moved = torch.from_numpy(self._moved(constants["ratio"])).to(device)
        offset = self.count * self.zero

        def run(total: Any) -> Any:
            real = ((total.double() + offset).float() * ratio).add_(moved).double()
            away = torch.copysign(real.abs().add_(0.5).floor_(), real)
            return away.clamp_(limits.low, limits.high).float()

        return run

    def of(self, call: Call, count: int) -> FloatSum:
        """The rule of a node whose sums are of `count` values."""
        return replace(self, count=count, zero=call.zero(0))

    def _moved(self, ratio: np.ndarray) -> np.ndarray:
        share = (np.float32(-self.zero) * ratio).astype(np.float32)
        return (share * np.float32(self.count)).astype(np.float32)
