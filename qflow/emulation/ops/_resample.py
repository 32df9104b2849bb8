"""Values between pixels in fixed point: what upsample and grid_sample share.

A place along an axis is a whole number of pixels and a fraction of 11 bits for 8-bit images, of 18
bits for 16-bit ones. The sum over two axes has twice as many; at 16 bits 22 of them are rounded
away, half up, so that the sum is an int32 before its one rescale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.op import Call
from qflow.emulation.profile import Ratio

if TYPE_CHECKING:
    from torch import Tensor

FRACTION = {8: 11, 16: 18}
"""Bits of a fraction by the image's width: 255 * 2^22 is an int32, 65535 * 2^36 a float64."""
DROPPED = {8: 0, 16: 22}
BETWEEN: Mapping[str, float] = {"int8": 0.64, "int16": 0.77}
"""`within`, where the output's step is the input's: half a step, and per axis half of a fraction's
last bit times the largest difference of two pixels, 2^8 * 2^-12 or 2^16 * 2^-19."""


def fraction_bits(dtype: str) -> int:
    return FRACTION[DTYPES[dtype].bits]


def ratio(source: np.ndarray, target: np.ndarray, dtype: str) -> Ratio:
    """From the sum to the output."""
    bits = 2 * fraction_bits(dtype) - DROPPED[DTYPES[dtype].bits]
    return Ratio((source,), (target,), factor=2.0**-bits)


def bound(reach: int, dtype: str) -> int:
    """Largest magnitude of a sum, of pixels of magnitude `reach`, before bits are dropped."""
    return reach << (2 * fraction_bits(dtype))


def dropped(total: np.ndarray, dtype: str) -> np.ndarray:
    bits = DROPPED[DTYPES[dtype].bits]
    return (total + (1 << (bits - 1)) >> bits) if bits else total


def fast_dropped(total: Tensor, dtype: str) -> Tensor:
    """The same of float64 integers."""
    bits = DROPPED[DTYPES[dtype].bits]
    return total.add_(1 << (bits - 1)).mul_(2.0**-bits).floor_() if bits else total


def unclamped(call: Call) -> Call:
    """The call with the clamp that the output's dtype is."""
    dtype = DTYPES[call.node.output.dtype]
    attributes = {**call.node.attributes, "low": dtype.qmin, "high": dtype.qmax}
    return replace(call, node=replace(call.node, attributes=attributes))


def cubic(fraction: np.ndarray) -> tuple[np.ndarray, ...]:
    """Weights of the four pixels around a place, torch's: Keys' kernel with a = -0.75."""
    a = -0.75

    def near(x: np.ndarray) -> np.ndarray:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: np.ndarray) -> np.ndarray:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return far(fraction + 1), near(fraction), near(1 - fraction), far(2 - fraction)
