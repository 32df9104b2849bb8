"""Sigmoid and tanh of TFLite at int16: a table of 256 sigmoids, a line between two of them.

Source: `Logistic` and `Tanh` of TFLite's integer reference kernels; the table's entries are
those that LiteRT 2.3.0 computes with, found from its tanh, which shows every bit of them.
"""

from __future__ import annotations

import numpy as np

RAISED = (
    4,
    8,
    12,
    14,
    15,
    16,
    17,
    19,
    20,
    21,
    22,
    25,
    27,
    28,
    29,
    30,
    31,
    33,
    34,
    35,
    37,
    39,
    40,
    41,
    43,
    44,
    45,
    46,
    49,
    50,
    54,
    62,
    63,
    64,
    66,
    82,
    86,
    93,
    100,
    103,
    112,
    116,
    135,
    255,
)
"""Entries one above the rounded sigmoid."""
PLACES = np.arange(256)
TABLE = np.minimum(np.rint(65536 / (1 + np.exp(-PLACES / 24))), 65535).astype(np.int64)
"""sigmoid(k / 24) in 2^-16."""
TABLE[list(RAISED)] += 1
LAST = 255
SATURATED = (0x7FFF, 0xFFFF)
"""Beyond the table, of sigmoid and of tanh."""


def scaled(values: np.ndarray, multiplier: int, shift: int) -> np.ndarray:
    """The input in 1 / (3 * 4096)."""
    return (values * multiplier + ((1 << shift) >> 1)) >> shift


def multiplier_of(scale: float) -> tuple[int, int]:
    """Multiplier and shift of `scaled`: 15 bits, cut off; exact for 2^-12 and 2^-11."""
    if scale in (2.0**-12, 2.0**-11):
        return 3 << (12 + int(np.log2(scale))), 0
    multiplier, shift = scale * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and shift <= 30:
        multiplier, shift = multiplier * 2.0, shift + 1
    return int(multiplier), shift


def sigmoid(fine: np.ndarray) -> np.ndarray:
    """In 2^-15, of an input in 1 / (3 * 4096)."""
    line = _line(np.abs(fine), 9, SATURATED[0] << 10)
    found = np.where(fine >= 0, line + (1 << 9), (1 << 25) - line + (1 << 9) - 1)
    return found >> 10


def tanh(fine: np.ndarray) -> np.ndarray:
    """In 2^-15: 2 * sigmoid(2 * x) - 1."""
    line = _line(np.abs(fine), 8, SATURATED[1] << 8)
    one = 1 << 23
    found = np.where(fine >= 0, line - one + (1 << 7), -line + one + (1 << 7) - 1)
    return found >> 8


def _line(size: np.ndarray, bits: int, beyond: int) -> np.ndarray:
    place = size >> bits
    first = TABLE[np.minimum(place, LAST)]
    second = TABLE[np.minimum(place + 1, LAST)]
    line = (first << bits) + (size & ((1 << bits) - 1)) * (second - first)
    return np.where(place >= LAST, beyond, line)
