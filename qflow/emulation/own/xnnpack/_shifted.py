"""Shifted: XNNPACK's rule of a single int8 value, a multiplier with 8 bits of fraction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.own.tflite._rules import Inner
from qflow.emulation.profile import Constants, Limits, Ratio, Use

if TYPE_CHECKING:
    from qflow.emulation.profile import Unary

FRACTION = 8
LARGEST = 1 << 16


class Shifted(Inner):
    """`y = (v * m + 128) >> 8`, m = half_even(float32(factor * s_x / s_y) * 256).

    Source: qs8-vcvt and qs8-vlrelu of XNNPACK, measured: the delegate takes ratios from 2^-8 to
    2^7. Our choice: beyond them the multiplier ends at 2^16.
    """

    name = "xnnpack.shifted"

    def roles(self, use: Use) -> Mapping[str, str]:
        assert use == "rescale", "only a plain rescale has this rule"
        return {"multiplier": "int32"}

    def check(self, role: str, constant: np.ndarray) -> str:
        fine = constant.min() >= 0 and constant.max() <= LARGEST
        return "" if fine else f"{role} leaves 0..{LARGEST}"

    def rescale_constants(self, ratio: Ratio) -> dict[str, np.ndarray]:
        exact = (ratio.source_scale / ratio.target_scale).astype(np.float64)
        multiplier = np.clip(np.rint(exact * (1 << FRACTION)), 0, LARGEST)
        return {"multiplier": np.atleast_1d(multiplier).astype(np.int32)}

    def rescale(self, values: np.ndarray, constants: Constants) -> np.ndarray:
        return (
            values * constants["multiplier"].astype(np.int64) + (1 << (FRACTION - 1))
        ) >> FRACTION

    def fast_rescale(self, constants: Constants, limits: Limits, device: Any) -> Unary:
        import torch

        step = constants["multiplier"].astype(np.float64) / (1 << FRACTION)
        factor = torch.from_numpy(step).to(device)
        # products of 16 and 17 bits are exact in float64
        return lambda x: (x.double() * factor).add_(0.5).floor_().clamp_(limits.low, limits.high)
