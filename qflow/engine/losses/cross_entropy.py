"""cross_entropy: for classes; torch's own, on the first output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class CrossEntropy:
    def __call__(self, outputs: Mapping[str, Tensor], target: Tensor) -> Tensor:
        """The first output is logits, float32 [N, classes, ...]; targets are int64 [N, ...]."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(next(iter(outputs.values())), target)
