"""What operators share whose ratio of scales is made in float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.own.tflite._ruled import Ruled
from qflow.emulation.own.tflite._rules import Float32Ratio
from qflow.emulation.profile import Profile


class InFloat32(Ruled):
    """`Float32Ratio` under every kernel of TFLite."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        return Float32Ratio(profile)
