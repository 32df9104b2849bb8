"""What convolutions of int16 activations share: a 16-bit multiplier on a 64-bit accumulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.own.tflite._ruled import Ruled
from qflow.emulation.own.tflite._rules import ReducedMultiplier
from qflow.emulation.profile import Profile


class Wide(Ruled):
    """int16 outputs follow `ReducedMultiplier`, others the profile."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        return ReducedMultiplier(profile) if writes == "int16" else None
