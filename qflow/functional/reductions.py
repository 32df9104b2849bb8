"""reductions: argmax, whose result needs no dequantize: indices lie on no grid."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["argmax"]


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest value along `dim` is, int64; over all values without `dim`.

    The shape is that of `input` without `dim`, or with 1 there under `keepdim`.
    """
    return torch.argmax(input, dim, keepdim)
