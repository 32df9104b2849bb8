"""quantization: one of the lanes computes on floats that were never rounded."""

from __future__ import annotations

from typing import ClassVar

from qflow.analysis.causes import Case, Cause


class Quantization(Cause):
    rank: ClassVar[int] = 0
    says: ClassVar[str] = "one lane is the float model, which rounds nothing"

    def share(self, case: Case) -> float:
        return float("float" in case.lanes)
