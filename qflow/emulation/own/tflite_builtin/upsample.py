"""upsample: RESIZE_NEAREST_NEIGHBOR of int8 by the optimized kernels, places in fixed point."""

from __future__ import annotations

import numpy as np

from qflow.emulation.own.tflite import upsample

PLACE_BITS = 16


class Upsample(upsample.Upsample):
    """Place i of `nearest` takes pixel `i * (floor(size * 2^16 / count) + 1) >> 16` of int8 images.

    Source: `ResizeNearestNeighbor` of LiteRT's optimized kernels, measured; half pixels and int16
    are left to the reference ones.
    """

    def nearest(self, mode: str, size: int, count: int, dtype: str) -> np.ndarray:
        if mode != "nearest" or dtype != "int8":
            return super().nearest(mode, size, count, dtype)
        step = (size << PLACE_BITS) // count + 1
        return np.minimum((np.arange(count, dtype=np.int64) * step) >> PLACE_BITS, size - 1)
