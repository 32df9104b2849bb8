"""kl: the range whose quantized distribution is nearest to the data's, by KL divergence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observers._divergence import Nearest, relative_entropy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Kl(Nearest):
    """KL(P, Q) = sum of P * (log10 P - log10 Q), over whole groups of bins.

    The search is that of the calibration toolchain, on our histogram. For i = B, 2B, ... bins, B
    being the steps of one side of the grid (128 for int8, 8 for int4): P is the first i bins, with
    all that lies beyond added to the last; Q is the first i bins averaged over B equal groups,
    empty bins left empty, and normalised by the mass of the i bins alone. The first i of lowest
    divergence wins, and the range is i bins wide, at most the largest magnitude. A grid of more
    steps than bins, as int16, takes the largest magnitude.

    The toolchain's bins round (floor(|x| / width + 0.5)), and there are 2048 up to the largest
    value of the first batch, of whose width more are appended; ours truncate, and their top is a
    power of two, so that they merge. Both leave exact zeros out. The QAT toolchain's (`bins=512`)
    searches anew every `update_interval` forwards and averages; here one search over all batches,
    so that there is always a result. For activations: one range per tensor.
    """

    def divergence(self, p: Tensor, q: Tensor) -> Tensor:
        return relative_entropy(p, q)
