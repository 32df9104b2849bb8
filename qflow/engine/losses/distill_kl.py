"""distill_kl: how far the classes' probabilities are from those of the float model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class DistillKl:
    """Hinton, Vinyals and Dean (2015): T^2 KL(teacher || student) of the softened probabilities."""

    temperature: float = 4.0
    """What logits are divided by; 1 keeps the probabilities as they are."""

    needs_teacher: ClassVar[bool] = True
    needs_target: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 < self.temperature < float("inf"):
            raise ValueError("`temperature` must be above 0")

    def __call__(
        self, outputs: Mapping[str, Tensor], target: Tensor | None, teacher: Mapping[str, Tensor]
    ) -> Tensor:
        """Classes lie along axis 1; the mean over all outputs, samples and places."""
        import torch
        from torch.nn.functional import kl_div, log_softmax

        found = []
        for name, output in outputs.items():
            ours = log_softmax(output / self.temperature, dim=1)
            theirs = log_softmax(teacher[name] / self.temperature, dim=1)
            each = kl_div(ours, theirs, reduction="none", log_target=True).sum(dim=1)
            found.append(each.mean() * self.temperature**2)
        return torch.stack(found).mean()
