"""pact: the largest value is learned, from what lies beyond it."""

from __future__ import annotations

from torch import Tensor

from qflow.quantization.learned._learned import Learned


class Pact(Learned):
    """Parameterized clipping activation, Choi et al. 2018, on a symmetric grid.

    The paper clips a relu at alpha and learns alpha by the gradient 1 of everything at or above it.
    Here the parameter is the scale, alpha = qmax * scale, and its gradient is that of alpha divided
    by qmax, so that a step of gradient descent moves alpha as far as it does there. Values below
    qmin * scale, which no relu gives, are the signed variant: they count as much, the other way.
    The paper's penalty on alpha is the optimizer's weight decay. Without calibration the first
    batch's largest magnitude is alpha.
    """

    def begin(self, rows: Tensor) -> Tensor:
        largest = rows.abs().amax(dim=1)
        return (largest / self.grid.qmax).where(largest > 0, 1 / self.grid.divisor)

    def pace(self, x: Tensor) -> float:
        # once for the slope of alpha by the scale, once for alpha's own unit
        return 1 / self.grid.qmax**2
