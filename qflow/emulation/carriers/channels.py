"""channels: some channels of an image batch whose channels lie last in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def take(images: Tensor, places: Tensor) -> Tensor:
    """[N, C, H, W] to [N, places, H, W], a new tensor."""
    return images.permute(0, 2, 3, 1)[..., places].permute(0, 3, 1, 2)


def put(images: Tensor, places: Tensor, values: Tensor) -> None:
    """Write `values` over those channels of `images`."""
    images.permute(0, 2, 3, 1)[..., places] = values.permute(0, 2, 3, 1)
