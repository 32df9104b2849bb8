"""One over a square root in integers, the same to the bit in NumPy and in torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

WIDTH = 62
"""Bits below which the number must lie."""
STEPS = (32, 16, 8, 4, 2)
"""Even shifts that together bring any number from 1 into [2^60, 2^62)."""
DIVIDEND = 54
"""The reciprocal has 24 bits: 2^54 over a root of 31 bits."""


def reciprocal_root(number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m, e) of int64 arrays of 1 and more: 1 / sqrt(number) = m * 2^-e, with m in (2^23, 2^24].

    The number is shifted by 2 a into [2^60, 2^62), r is the whole part of its root, and
    m = floor(2^54 / r), e = 54 - a. It errs by less than 2^-22.9 of the value.
    """
    wide, half_shift = number, np.zeros_like(number)
    for step in STEPS:
        small = wide < 1 << (WIDTH - step)
        wide = np.where(small, wide << step, wide)
        half_shift = half_shift + small * (step // 2)
    root = np.floor(np.sqrt(wide.astype(np.float64))).astype(np.int64)
    # a float64 root is at most one off
    root = root - (root * root > wide)
    root = root + ((root + 1) * (root + 1) <= wide)
    return (1 << DIVIDEND) // root, DIVIDEND - half_shift


def fast_reciprocal_root(number: Tensor) -> tuple[Tensor, Tensor]:
    """The same in torch, int64."""
    import torch

    # rounded to float64 it may look one bit longer: then two more are needed
    half_shift = (WIDTH - torch.frexp(number.double()).exponent.long()) >> 1
    half_shift += (number << 2 * half_shift) < 1 << (WIDTH - 2)
    wide = number << 2 * half_shift
    root = wide.double().sqrt().floor().long()
    root = root - (root * root > wide).long()
    root = root + ((root + 1) * (root + 1) <= wide).long()
    dividend: Any = torch.full_like(root, 1 << DIVIDEND)
    return dividend.div(root, rounding_mode="floor"), DIVIDEND - half_shift
