"""Kernels that take channels by the vector, and those that are left over one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.op import Fast

if TYPE_CHECKING:
    from typing import Any

    from torch import Tensor


def in_vectors(channels: int, vector: int) -> np.ndarray:
    """Which channels of an image are in whole vectors: bool [channels, 1, 1]."""
    return (np.arange(channels) < channels - channels % vector).reshape(-1, 1, 1)


def either(mask: np.ndarray, made: Callable[[bool], Fast], device: Any) -> Fast:
    """`made(True)` for the channels of the mask, `made(False)` for others."""
    import torch

    if mask.all() or not mask.any():
        return made(bool(mask.all()))
    by_vector, one_by_one = made(True), made(False)
    place = torch.from_numpy(mask).to(device)

    def run(*operands: Tensor) -> Tensor:
        return torch.where(place, by_vector.run(*operands), one_by_one.run(*operands))

    return replace(by_vector, run=run)
