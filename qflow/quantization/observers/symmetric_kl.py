"""symmetric_kl: as `kl`, by the divergence of each from the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.quantization.observers._divergence import Nearest, relative_entropy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class SymmetricKl(Nearest):
    """KL(P, Q) + KL(Q, P).

    Known by name from the older calibration tool, whose code is not public; the search, P and Q are
    those of `kl`. For activations: one range per tensor.
    """

    def divergence(self, p: Tensor, q: Tensor) -> Tensor:
        """KL(P, Q) + KL(Q, P), of each row."""
        return relative_entropy(p, q) + relative_entropy(q, p)
