"""ordered: floats as integers in the same order, NaN beyond the infinities.

Minima of floats must look for NaN, and are not computed several at once; those of integers are.
"""

from __future__ import annotations

import numpy as np
from numba import njit

MAGNITUDE = 0x7FFFFFFF
"""The bits of a float32 without its sign."""
INFINITY = 0x7F800000
LOWEST, HIGHEST = -MAGNITUDE - 1, MAGNITUDE


@njit
def ends(bits, low, high):
    """The lowest and highest key of float32 given as int32 bits, and of two keys before."""
    for i in range(bits.size):
        key = np.int32(bits[i] ^ np.int32(np.int32(bits[i] >> np.int32(31)) & np.int32(MAGNITUDE)))
        low, high = np.int32(min(low, key)), np.int32(max(high, key))
    return low, high


@njit(inline="always")
def bits_of(key):
    """The bits of the float32 with this key; of the zero below zero those of zero."""
    return np.int32(0) if key == -1 else key ^ ((key >> 31) & np.int32(MAGNITUDE))


@njit(inline="always")
def are_finite(low, high):
    """Whether neither of two keys is that of an infinity or NaN."""
    return low > -INFINITY - 1 and high < INFINITY


def float_of(key: np.int32) -> float:
    """The float32 with this key."""
    # not compiled: that takes half a second, for two numbers per tensor
    return float(np.int32(bits_of.py_func(key)).view(np.float32))
