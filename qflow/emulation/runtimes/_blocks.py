"""Elementwise work in blocks that stay in the cache: wide temporaries are then small ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

BLOCK = 1 << 16
"""Values per block and thread."""
ROWS, IMAGE = 2, 4
"""Axis of the rows of an image batch, and its least number of axes: of fewer, axis 2 may be that of
the channels, which have constants of their own."""


def blockwise(run: Callable[..., Tensor], *, whole: bool = False) -> Callable[..., Tensor]:
    """`run` over slices of the batch, or of the rows of a single image; operands and result have
    one shape. `whole`: an item of the batch stays in one piece, as sums along its axes need it."""

    def over_blocks(*operands: Tensor) -> Tensor:
        first = operands[0]
        axis = ROWS if first.ndim >= IMAGE and len(first) == 1 and not whole else 0
        length = first.shape[axis]
        step = max(1, BLOCK * torch.get_num_threads() * length // max(first.numel(), 1))
        if step >= length or first.device.type != "cpu":
            return run(*operands)
        head = run(*[x.narrow(axis, 0, step) for x in operands])
        result = torch.empty_like(first, dtype=head.dtype)
        result.narrow(axis, 0, step).copy_(head)
        for start in range(step, length, step):
            size = min(step, length - start)
            part = run(*[x.narrow(axis, start, size) for x in operands])
            result.narrow(axis, start, size).copy_(part)
        return result

    return over_blocks
