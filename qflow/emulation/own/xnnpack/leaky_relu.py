"""leaky_relu: XNNPACK's qs8-vlrelu; int16 is left to the built-in kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.own.tflite import leaky_relu
from qflow.emulation.own.xnnpack._shifted import Shifted
from qflow.emulation.profile import Profile


class LeakyRelu(leaky_relu.LeakyRelu):
    """As the general operator."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        if (*reads, writes) == ("int8", "int8"):
            return Shifted(profile)
        return super().rule(profile, reads, writes, attributes)
