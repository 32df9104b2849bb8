"""linear: FULLY_CONNECTED; of int16 activations rescaled in float64, half away from zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.ops import linear
from qflow.emulation.own.tflite._ruled import Ruled
from qflow.emulation.own.tflite._rules import HalfAway
from qflow.emulation.profile import Profile


class Linear(Ruled, linear.Linear):
    """As the general operator."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        return HalfAway(profile) if writes == "int16" and not attributes["residual"] else None
