"""table: the calibration table: `name threshold min max` per tensor, in single spaces.

The compiler's reader passes over a line it does not like, and a comment with certain words in it
begins another section: nothing of a user's stands in a comment.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from qflow.dtype import DTYPES

if TYPE_CHECKING:
    from qflow.export._tables.rows import Row
    from qflow.export._tpu_mlir.calls import Called

HEAD = "# written by qflow\n###\n# op_name    threshold    min    max\n"
FEWEST, MOST = 7, 64
"""Decimals: as many as the vendor writes, or those a small scale needs to be read as it was."""


def render(calls: Iterable[Called]) -> str:
    """A row for every tensor that has a grid; of what stays float there is none."""
    return HEAD + "".join(f"{_line(c, c.grid)}\n" for c in calls if c.grid is not None)


def _line(call: Called, grid: Row) -> str:
    threshold, decimals = threshold_of(grid.scale[0], DTYPES[grid.dtype].qmax)
    low = f"-{threshold}" if call.signed else f"{0:.{decimals}f}"
    return f"{call.row} {threshold} {low} {threshold}"


def threshold_of(scale: np.float32, qmax: int) -> tuple[str, int]:
    """The threshold as text, and its decimals: the fewest from which the same scale is read."""
    exact = float(scale) * qmax
    for decimals in range(FEWEST, MOST):
        text = f"{exact:.{decimals}f}"
        if np.float32(float(text) / qmax) == scale:
            return text, decimals
    # smaller than any tensor has: the reader takes an exponent below 0 as well
    return repr(exact), MOST
