"""mean: the mean of XNNPACK; int16 is left to the built-in kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.op import Call
from qflow.emulation.own.tflite import mean
from qflow.emulation.own.tflite._ruled import count_along
from qflow.emulation.own.xnnpack._mean import FloatMean
from qflow.emulation.profile import Profile


class Mean(mean.Mean):
    """As the general operator."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        if (*reads, writes) == ("int8", "int8"):
            return FloatMean(profile.own)
        return super().rule(profile, reads, writes, attributes)

    def rule_of(self, call: Call) -> Profile | None:
        rule = super().rule_of(call)
        if not isinstance(rule, FloatMean):
            return rule
        return rule.of(call, count_along(call))
