"""different_scale: the lanes have the output on other grids."""

from __future__ import annotations

from typing import ClassVar

from qflow.analysis.causes import Case, Cause


class DifferentScale(Cause):
    rank: ClassVar[int] = 1
    says: ClassVar[str] = "the lanes do not have one scale for this tensor"

    def share(self, case: Case) -> float:
        return float(not case.same_scale)
