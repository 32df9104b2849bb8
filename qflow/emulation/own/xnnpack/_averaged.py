"""What XNNPACK sums: int8 by its float mean; int16 is left to the built-in kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.op import Call
from qflow.emulation.own.tflite._ruled import Ruled, count_along
from qflow.emulation.own.xnnpack._mean import FloatMean
from qflow.emulation.profile import Profile


class Averaged(Ruled):
    """Comes before the operator of `own/tflite` among the bases."""

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
        return rule.of(call, self.count(call)) if isinstance(rule, FloatMean) else rule

    def count(self, call: Call) -> int:
        """How many values each result is made of. Raises Unsupported."""
        return count_along(call)
