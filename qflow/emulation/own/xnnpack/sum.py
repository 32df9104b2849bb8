"""sum: the sum of XNNPACK; int16 is left to the built-in kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.op import Call
from qflow.emulation.own.tflite import sum
from qflow.emulation.own.tflite._ruled import count_along
from qflow.emulation.own.xnnpack._mean import FloatMean
from qflow.emulation.profile import Profile


class Sum(sum.Sum):
    """`FloatMean`, whose ratio of a sum is not divided by the number of values."""

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
        rule = self.rule(call.profile, (call.sources[0].dtype,), call.node.output.dtype, {})
        if not isinstance(rule, FloatMean):
            return super().rule_of(call)
        return rule.of(call, count_along(call))
