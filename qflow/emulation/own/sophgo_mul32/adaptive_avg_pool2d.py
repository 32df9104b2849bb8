"""adaptive_avg_pool2d: to one place it is the mean; to other sizes it stays float."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.emulation.op import op
from qflow.emulation.ops import adaptive_avg_pool2d as general
from qflow.emulation.own.sophgo_mul32.mean import ROWS_AND_COLUMNS, Mean, emit_mean

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class AdaptiveAvgPool2d(general.AdaptiveAvgPool2d):
    """Becomes a mean."""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        mean = op("mean", build.profile.own)
        assert isinstance(mean, Mean)
        emit_mean(mean, node, build, {"dims": ROWS_AND_COLUMNS, "keepdim": True})
