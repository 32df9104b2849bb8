"""sum: SUM, which every kernel makes in float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.op import Call
from qflow.emulation.ops import sum
from qflow.emulation.own.tflite._float_sum import FloatSum
from qflow.emulation.own.tflite._ruled import Ruled, count_along
from qflow.emulation.profile import Profile


class Sum(Ruled, sum.Sum):
    """As the general operator.

    The reference kernel of LiteRT 2.3.0 leaves most of its output unwritten: under
    `tflite.reference` the rule is that of the built-in one.
    """

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        return FloatSum(profile.own)

    def rule_of(self, call: Call) -> Profile | None:
        rule = super().rule_of(call)
        return rule.of(call, count_along(call)) if isinstance(rule, FloatSum) else rule
