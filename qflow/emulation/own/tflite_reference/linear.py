"""linear: FULLY_CONNECTED of the reference kernels, in float64 for every dtype."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.own.tflite import linear
from qflow.emulation.own.tflite._rules import HalfAway
from qflow.emulation.profile import Profile


class Linear(linear.Linear):
    """As the general operator."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        return None if writes == "int32" or attributes["residual"] else HalfAway(profile)
