"""upsample: to the nearest value it moves bytes; in between it stays float."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.ops import upsample as general


class Upsample(general.Upsample):
    """As the general operator."""

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if not str(attributes["mode"]).startswith("nearest"):
            return "only the nearest value is integer on this target"
        return super().float_only(attributes, shapes)
