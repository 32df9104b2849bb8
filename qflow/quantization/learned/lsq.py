"""lsq: the scale is learned from the rounding error and from what lies beyond the grid."""

from __future__ import annotations

import math

from torch import Tensor

from qflow.quantization.learned._learned import Learned


class Lsq(Learned):
    """Learned step size quantization, Esser et al. 2020.

    With v = x / scale, each element's gradient by the scale is round(v) - v inside the grid, and
    qmin or qmax beyond it; their sum is multiplied by 1 / sqrt(N * qmax). N counts the values that
    share the scale: of a weight, or of one sample of an activation, so that the batch size does not
    change the pace. Without calibration the first batch gives 2 * mean|x| / sqrt(qmax).
    """

    inner_slope = True

    def begin(self, rows: Tensor) -> Tensor:
        mean = rows.abs().mean(dim=1)
        # zeros fit any scale; the one they get from an observer
        begun = 2 * mean / math.sqrt(self.grid.qmax)
        return begun.where(mean > 0, 1 / self.grid.divisor)

    def pace(self, x: Tensor) -> float:
        sharing = x.numel() / self.scale.numel()
        if not self.follows and x.dim() > 1:
            sharing /= x.shape[0]
        return 1 / math.sqrt(max(sharing, 1) * self.grid.qmax)
