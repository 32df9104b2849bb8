"""Mean over rows and columns on BM1684: one window as large as the image."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Fast, Range
from qflow.emulation.own.sophgo_shift8 import _pool

if TYPE_CHECKING:
    from torch import Tensor


def oracle(pool: _pool.Pool, call: Call, operand: np.ndarray, keepdim: bool) -> np.ndarray:
    total = operand.astype(np.int64).sum(axis=(2, 3), keepdims=keepdim)
    return pool.average(call, total, operand.shape)


def fast(pool: _pool.Pool, call: Call, ranges: Sequence[Range], device: Any, keepdim: bool) -> Fast:
    bound = _pool.largest(ranges) * taps(call.shapes[0])
    finish = pool.fast_average(call, bound, call.shapes[0], device)

    def run(x: Tensor) -> Tensor:
        return finish(x.float().sum((2, 3), keepdim=keepdim))

    return Fast(run, "float32", bound)


def taps(shape: Sequence[int]) -> int:
    """Rows times columns of an image batch."""
    return prod(shape[2:])
