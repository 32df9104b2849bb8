"""Elementwise work in blocks that stay in the cache: wide temporaries are then small ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

BLOCK = 1 << 16
"""Values per block."""


def blockwise(run: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`run` over slices of the batch; operands and result have one shape."""

    def over_blocks(*operands: Tensor) -> Tensor:
        first = operands[0]
        step = max(1, BLOCK * len(first) // max(first.numel(), 1))
        if step >= len(first) or first.device.type != "cpu":
            return run(*operands)
        head = run(*[x[:step] for x in operands])
        result = torch.empty_like(first, dtype=head.dtype)
        result[:step] = head
        for start in range(step, len(first), step):
            result[start : start + step] = run(*[x[start : start + step] for x in operands])
        return result

    return over_blocks
