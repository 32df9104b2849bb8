"""What convolutions of int16 activations share: a 16-bit multiplier on a 64-bit accumulator."""

from __future__ import annotations

from qflow.emulation.own.tflite._ruled import Ruled
from qflow.emulation.own.tflite._rules import ReducedMultiplier
from qflow.emulation.profile import Profile


class Wide(Ruled):
    """int16 outputs follow `ReducedMultiplier`, others the profile."""

    def rule(self, profile: Profile, dtype: str, residual: bool) -> Profile | None:
        return ReducedMultiplier(profile) if dtype == "int16" else None
