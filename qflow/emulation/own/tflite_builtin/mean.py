"""mean: the mean of an image by the optimized kernels is ImageMean at int8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.op import Call
from qflow.emulation.own.tflite import mean
from qflow.emulation.own.tflite._ruled import count_along
from qflow.emulation.own.tflite_builtin._image_mean import ImageMean, Vectored
from qflow.emulation.profile import Profile

IMAGE = (2, 3)
"""Rows and columns."""


class Mean(Vectored, mean.Mean):
    """As the general operator."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        of_image = attributes["keepdim"] and tuple(attributes["dims"]) == IMAGE
        if (*reads, writes) == ("int8", "int8") and of_image:
            return ImageMean(profile.own)
        return super().rule(profile, reads, writes, attributes)

    def rule_of(self, call: Call) -> Profile | None:
        if isinstance(call.profile, ImageMean):
            return call.profile  # decided already
        rule = super().rule_of(call)
        if not isinstance(rule, ImageMean):
            return rule
        return rule.of(call, count_along(call))
