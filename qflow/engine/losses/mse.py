"""mse: mean squared error of the first output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Mse:
    def __call__(self, outputs: Mapping[str, Tensor], target: Tensor) -> Tensor:
        """Output and target have one shape. Raises ValueError when they have not."""
        from torch.nn.functional import mse_loss

        output = next(iter(outputs.values()))
        if output.shape != target.shape:
            # torch would broadcast, with a warning, into something nobody meant
            raise ValueError(
                f"the output is {list(output.shape)} and the target {list(target.shape)}"
            )
        return mse_loss(output, target.to(output.dtype))
