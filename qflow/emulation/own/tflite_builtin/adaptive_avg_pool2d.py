"""adaptive_avg_pool2d: the mean of an image by the optimized kernels, as ImageMean at int8."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from qflow.emulation.op import Call
from qflow.emulation.own.tflite import adaptive_avg_pool2d
from qflow.emulation.own.tflite_builtin._image_mean import ImageMean, Vectored
from qflow.emulation.profile import Profile


class AdaptiveAvgPool2d(Vectored, adaptive_avg_pool2d.AdaptiveAvgPool2d):
    """As the general operator."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        if (*reads, writes) == ("int8", "int8"):
            return ImageMean(profile.own)
        return super().rule(profile, reads, writes, attributes)

    def rule_of(self, call: Call) -> Profile | None:
        if isinstance(call.profile, ImageMean):
            return call.profile  # decided already
        rule = super().rule_of(call)
        if not isinstance(rule, ImageMean):
            return rule
        return rule.of(call, prod(call.sources[0].shape[1:]) // prod(call.node.output.shape[1:]))
