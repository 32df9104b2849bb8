"""linear: FULLY_CONNECTED of the reference kernels, in float64 for every dtype."""

from __future__ import annotations

from qflow.emulation.own.tflite import linear
from qflow.emulation.own.tflite._rules import HalfAway
from qflow.emulation.profile import Profile


class Linear(linear.Linear):
    """As the general operator."""

    def rule(self, profile: Profile, dtype: str, residual: bool) -> Profile | None:
        return None if dtype == "int32" or residual else HalfAway(profile)
