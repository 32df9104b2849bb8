"""rescale: QUANTIZE between integers; of int16 as the reference kernels do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.own.tflite._ruled import Ruled
from qflow.emulation.own.tflite._rules import Reference
from qflow.emulation.profile import Profile
from qflow.emulation.steps import rescale


class Rescale(Ruled, rescale.Rescale):
    """As the general step."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        return Reference(profile) if "int16" in (*reads, writes) else None
