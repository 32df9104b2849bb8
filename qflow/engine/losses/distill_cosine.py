"""distill_cosine: 1 - cosine between each sample's outputs and those of the float model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class DistillCosine:
    needs_teacher: ClassVar[bool] = True
    needs_target: ClassVar[bool] = False

    def __call__(
        self, outputs: Mapping[str, Tensor], target: Tensor | None, teacher: Mapping[str, Tensor]
    ) -> Tensor:
        """Samples lie along axis 0; the mean over samples, then over the outputs."""
        import torch
        from torch.nn.functional import cosine_similarity

        found = [
            1 - cosine_similarity(y.flatten(1), teacher[name].flatten(1), dim=1).mean()
            for name, y in outputs.items()
        ]
        return torch.stack(found).mean()
