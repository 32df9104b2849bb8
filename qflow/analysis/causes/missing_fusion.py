"""missing_fusion: one lane adds a residual before it rounds, the other afterwards."""

from __future__ import annotations

from typing import ClassVar

from qflow.analysis.causes import Case, Cause


class MissingFusion(Cause):
    """Exported files have the addition as an operator of its own."""

    rank: ClassVar[int] = 2
    says: ClassVar[str] = "one lane adds the residual in the accumulator, the other after rounding"

    def share(self, case: Case) -> float:
        apart = any(lane not in _FUSING for lane in case.lanes)
        return float(case.prepared.residual and apart)


_FUSING = ("float", "fake_quant", "integer", "oracle")
