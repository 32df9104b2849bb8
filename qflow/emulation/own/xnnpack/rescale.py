"""rescale: XNNPACK converts int8 to int8; other pairs are left to the built-in kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.own.tflite_builtin import rescale
from qflow.emulation.own.xnnpack._shifted import Shifted
from qflow.emulation.profile import Profile
from qflow.emulation.profiles.tflite_builtin import TfliteBuiltin


class Rescale(rescale.Rescale):
    """As the general step."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        if (*reads, writes) == ("int8", "int8"):
            return Shifted(profile)
        return super().rule(profile, reads, writes, attributes) or TfliteBuiltin()
