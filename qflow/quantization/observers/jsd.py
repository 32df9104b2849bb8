"""jsd: as `kl`, by the divergence of both from their mean (Jensen-Shannon)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observers._divergence import Nearest, relative_entropy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Jsd(Nearest):
    """KL(P, M) / 2 + KL(Q, M) / 2, M = (P + Q) / 2.

    Known by name from the older calibration tool, whose code is not public; the search, P and Q are
    those of `kl`. For activations: one range per tensor.
    """

    def divergence(self, p: Tensor, q: Tensor) -> Tensor:
        """KL(P, M) / 2 + KL(Q, M) / 2, of each row."""
        middle = (p + q) / 2
        return (relative_entropy(p, middle) + relative_entropy(q, middle)) / 2
