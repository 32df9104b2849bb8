"""sophgo: the order in which the Sophgo calibrator visits its samples."""

from __future__ import annotations

import random

SEED = 1684


def visit_order(count: int) -> tuple[int, ...]:
    """Numbers of samples sorted by file name, in the order they are visited.

    The first of them decides how wide the bins of `kl` are. Samples of a batch of one each.
    """
    order = list(range(count))
    random.Random(SEED).shuffle(order)
    return tuple(order)
