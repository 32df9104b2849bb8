"""Rules of rescaling that single operators of TFLite have, as profiles of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.float_profile import FAR
from qflow.emulation.integer_profile import IntegerProfile
from qflow.emulation.profile import Constants, Limits, Profile, Ratio, Use
from qflow.emulation.profiles._high_multiply import BITS
from qflow.emulation.profiles._high_multiply import SHIFT_MOST as HIGH_SHIFT_MOST
from qflow.emulation.profiles.tflite_reference import TfliteReference

if TYPE_CHECKING:
    from qflow.emulation.profile import Unary

DROPPED = 16
"""Bits of the 31-bit multiplier that the 16-bit form leaves out."""
WIDE_BITS = 48
"""Accumulators of int16 operands are held in 64 bits, and 48 of them are used."""


class Inner(Profile):
    """A rule within a profile: operators are looked up as for that profile."""

    def __init__(self, outer: Profile) -> None:
        self.own = outer.own  # type: ignore[misc]


class Reference(Inner, TfliteReference):
    """`tflite.reference` as a rule of single operators of the other profiles."""


class Float32Ratio(Reference):
    """`tflite.reference` with M = float32(float32(s_x * s_w) / s_y).

    Source: measured on MUL, RELU, RELU6 and LEAKY_RELU of LiteRT: scales and factors meet in
    float32, and `QuantizeMultiplier` takes the result.
    """

    def rescale_constants(self, ratio: Ratio) -> dict[str, np.ndarray]:
        assert ratio.count == 1, "a mean has a rule of its own"
        return self._named("", (ratio.source_scale / ratio.target_scale).astype(np.float64))


class ReducedMultiplier(Inner, IntegerProfile):
    """`y = (acc * r + 2^(14-e)) >> (15-e)`, r = min((multiplier + 2^15) >> 16, 2^15 - 1).

    multiplier and e are those of `QuantizeMultiplier`; the constant `multiplier` holds r, `shift`
    15 - e. Source: `MultiplyByQuantizedMultiplier` of TFLite for accumulators of 64 bits, measured
    on convolutions of int16 activations under every resolver of LiteRT.
    """

    name = "tflite.int16"
    bits = BITS - DROPPED
    shifts = (-DROPPED + 1, HIGH_SHIFT_MOST - DROPPED)

    def derive(self, ratio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        fraction, exponent = np.frexp(ratio)
        multiplier = np.floor(fraction * 2.0**BITS + 0.5).astype(np.int64)
        carried = multiplier == 1 << BITS
        multiplier = np.where(carried, 1 << (BITS - 1), multiplier)
        reduced = np.minimum((multiplier + (1 << (DROPPED - 1))) >> DROPPED, (1 << self.bits) - 1)
        shift = self.bits - exponent.astype(np.int64) - carried
        least, most = self.shifts
        reduced = np.where(shift > most, 0, np.where(shift < least, (1 << self.bits) - 1, reduced))
        return reduced, np.where(shift > most, self.bits, np.maximum(shift, least))

    def multiply_shift(
        self, values: np.ndarray, multiplier: np.ndarray, shift: np.ndarray
    ) -> np.ndarray:
        right, left = np.maximum(shift, 0), np.maximum(-shift, 0)
        half = (np.int64(1) << right) >> 1
        return (((values * multiplier) << left) + half) >> right


class HalfAway(Inner):
    """`y = half_away(acc * (s_x * s_w / s_y))` in float64.

    Constants, float32: `source_scale` and `target_scale`; s_w is the operator's `weight_scale`.
    Products and quotient are made in float64, from left to right. Source: measured on
    FULLY_CONNECTED of LiteRT, the reference kernel for int8 and every kernel for int16; see
    google-ai-edge/LiteRT issue 8567.
    """

    name = "tflite.half_away"

    def roles(self, use: Use) -> Mapping[str, str]:
        assert use == "rescale", "only a plain rescale has this rule"
        return {"source_scale": "float32", "target_scale": "float32"}

    def check(self, role: str, constant: np.ndarray) -> str:
        fine = np.all(np.isfinite(constant)) and np.all(constant > 0)
        return "" if fine else f"{role} is not a number above 0"

    def rescale_constants(self, ratio: Ratio) -> dict[str, np.ndarray]:
        return {"source_scale": ratio.source[0], "target_scale": ratio.target[0]}

    def ratio(self, constants: Constants) -> np.ndarray:
        roles = ("source_scale", "weight_scale", "target_scale")
        source, weight, target = (constants[role].astype(np.float64) for role in roles)
        ratio: np.ndarray = source * weight / target
        return ratio

    def rescale(self, values: np.ndarray, constants: Constants) -> np.ndarray:
        real = values.astype(np.float64) * self.ratio(constants)
        away = np.copysign(np.floor(np.abs(real) + 0.5), real)
        return np.clip(away, -FAR, FAR).astype(np.int64)

    def fast_rescale(self, constants: Constants, limits: Limits, device: Any) -> Unary:
        import torch

        ratio = torch.from_numpy(self.ratio(constants)).to(device)

        def run(values: Any) -> Any:
            real = values.double() * ratio
            away = torch.copysign(real.abs().add_(0.5).floor_(), real)
            return away.clamp_(limits.low, limits.high).float()

        return run
