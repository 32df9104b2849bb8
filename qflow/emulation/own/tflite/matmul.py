"""matmul: BATCH_MATMUL of two activations; every kernel rounds it as the reference ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.ops import matmul
from qflow.emulation.own.tflite._ruled import Ruled
from qflow.emulation.own.tflite._rules import ReducedMultiplier, Reference
from qflow.emulation.profile import Profile


class Matmul(Ruled, matmul.Matmul):
    """As the general operator; of int16 activations with a 16-bit multiplier."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        if writes == "int32":
            return None
        return ReducedMultiplier(profile) if writes == "int16" else Reference(profile)
