"""windows: the largest value of each window of an image batch, in any dtype.

One axis after the other, each by comparing shifted copies: int8 then runs at the speed of memory,
and torch has no pooling of its own for integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

AXES = (2, 3)


def largest(
    x: Tensor, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Tensor:
    """[N, C, H, W], padded, to the maxima of its windows; `x` stays as it is."""
    import torch

    for axis, size, step, gap in zip(AXES, kernel, stride, dilation, strict=True):
        count = (x.shape[axis] - gap * (size - 1) - 1) // step + 1
        span = (count - 1) * step + 1
        every = (slice(None),) * axis + (slice(None, None, step),)
        best = x.narrow(axis, 0, span)[every]
        for i in range(1, size):
            best = torch.maximum(best, x.narrow(axis, i * gap, span)[every])
        x = best
    return x
