"""mul: XNNPACK multiplies int8 by int8; wider products are left to the built-in kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.own.tflite import mul
from qflow.emulation.profile import Profile


class Mul(mul.Mul):
    """As the general operator."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        if writes == "int8":
            return None
        return super().rule(profile, reads, writes, attributes)
