"""Integers from float32 estimates, as far as the error of the estimates allows.

Rules with long divisions or roots cost several passes in float64. An estimate in float32 with a
known error bound settles nearly every output of 8 bits: where the whole interval has one floor,
that is the integer. Rows with one that lies too near a step are left to the exact rule.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from qflow.emulation.runtimes._blocks import blockwise

UNIT = 2.0**-24
"""Relative error of one float32 operation."""
BEYOND = 256
"""What lies so far from 0 is outside every grid of 8 bits."""


def settle(
    estimate: Tensor, relative: float, absolute: Tensor, low: int, high: int, doubtful: Tensor
) -> Tensor:
    """Integers from `low` to `high` in float32, of estimates [rows, width], which it overwrites;
    bool `doubtful` [rows, 1] gets the rows in which not all are certain.

    The true value before the floor lies within `estimate` (1 +- relative) +- absolute; with a
    relative error no estimate is negative. `absolute` is one value, or one per row.
    """
    found = absolute.add(estimate, alpha=1 + relative).floor_()
    # certain where estimate (1 - relative) - absolute is not below found; the estimate is below
    # found + 1, so its share of the error is below relative (found + 1)
    above = estimate.sub_(found, alpha=1 + relative).amin(-1, keepdim=True)
    torch.lt(above, absolute + relative, out=doubtful)
    return found.clamp_(low, high)


def by_rows(
    estimated: Callable[..., Tensor], exactly: Callable[..., Tensor]
) -> Callable[..., Tensor]:
    """`estimated(x, doubtful, *given)` in blocks of rows, then `exactly(x, *given)` for those in
    doubt. x is [..., width], what is given with it [..., 1]; both get it as [rows, ...]."""
    in_blocks = blockwise(estimated)

    def run(x: Tensor, *given: Tensor) -> Tensor:
        rows = [t.reshape(-1, t.shape[-1]) for t in (x, *given)]
        doubtful = torch.empty((len(rows[0]), 1), dtype=torch.bool)
        result = in_blocks(rows[0], doubtful, *rows[1:])
        again = doubtful[:, 0].nonzero()[:, 0]
        if len(again):
            result[again] = exactly(*(t[again] for t in rows))
        return result.reshape(x.shape)

    return run
