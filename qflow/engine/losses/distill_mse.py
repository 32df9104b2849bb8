"""distill_mse: mean squared distance of the outputs from those of the float model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class DistillMse:
    needs_teacher: ClassVar[bool] = True
    needs_target: ClassVar[bool] = False

    def __call__(
        self, outputs: Mapping[str, Tensor], target: Tensor | None, teacher: Mapping[str, Tensor]
    ) -> Tensor:
        """The mean over the elements of each output, then over the outputs."""
        import torch
        from torch.nn.functional import mse_loss

        return torch.stack([mse_loss(y, teacher[name]) for name, y in outputs.items()]).mean()
