"""gemmlowp's fixed-point functions on NumPy int64: exp, logistic, tanh, 1 / (1 + x).

A value `raw` with i integer bits in a word of n bits stands for raw * 2^(i + 1 - n). Products are
`SaturatingRoundingDoublingHighMul`, divisions by powers of two round half away from zero. Constants
of 16 bits are those of 32 bits, divided by 2^16 so. Source: fixedpoint.h of gemmlowp.
"""

from __future__ import annotations

import numpy as np

from qflow.emulation.arrays import as_array

CONSTANT_BITS = 32
EXP_FACTORS = {
    -2: 1672461947,
    -1: 1302514674,
    0: 790015084,
    1: 290630308,
    2: 39332535,
    3: 720401,
    4: 242,
}
"""exp(-2^k) by k, with no integer bits."""
EXP_MINUS_EIGHTH, THIRD = 1895147668, 715827883
SECANT_START, SECANT_SLOPE = 1515870810, -1010580540
"""48 / 17 and -32 / 17 with two integer bits."""
STEPS, ROOT_STEPS = 3, 5
"""Newton steps of a division and of a root."""
HALF_ROOT_OF_TWO = 1518500250


def top(bits: int) -> int:
    """The largest raw value: 1 with no integer bits."""
    return (1 << (bits - 1)) - 1


def held(raw: np.ndarray, bits: int) -> np.ndarray:
    return np.clip(raw, -top(bits) - 1, top(bits))


def constant(raw: int, bits: int) -> int:
    """A constant of 32 bits in a word of so many."""
    return int(divided(np.array(raw, np.int64), CONSTANT_BITS - bits))


def times(a: np.ndarray, b: np.ndarray | int, bits: int) -> np.ndarray:
    """The doubled high half of the product, half up."""
    product = as_array(a, np.int64) * b
    return held((product + (1 << (bits - 2))) >> (bits - 1), bits)


def divided(raw: np.ndarray, exponent: int) -> np.ndarray:
    """By 2^exponent, half away from zero."""
    half = (1 << exponent) >> 1
    return np.sign(raw) * ((np.abs(raw) + half) >> exponent)


def raised(raw: np.ndarray, exponent: int, bits: int) -> np.ndarray:
    """Times 2^exponent, saturating."""
    return held(raw << exponent, bits)


def exp_of_negative(raw: np.ndarray, integer_bits: int, bits: int) -> np.ndarray:
    """exp(x) of x <= 0, with no integer bits."""
    fraction = bits - 1 - integer_bits
    quarter = 1 << (fraction - 2)
    rest = (raw & (quarter - 1)) - quarter
    result = _exp_near_zero(raised(rest, integer_bits, bits), bits)
    remainder = rest - raw
    for exponent, factor in EXP_FACTORS.items():
        if integer_bits > exponent:
            taken = (remainder >> (fraction + exponent)) & 1
            result = np.where(taken, times(result, constant(factor, bits), bits), result)
    return np.where(raw == 0, top(bits), result)


def _exp_near_zero(raw: np.ndarray, bits: int) -> np.ndarray:
    """exp(x) of -1/4 <= x < 0: a Taylor series around -1/8."""
    x = raw + (1 << (bits - 4))
    x2 = times(x, x, bits)
    x3, x4 = times(x2, x, bits), times(x2, x2, bits)
    third = times(divided(x4, 2) + x3, constant(THIRD, bits), bits)
    series = divided(third + x2, 1)
    start = constant(EXP_MINUS_EIGHTH, bits)
    return held(start + times(x + series, start, bits), bits)


def _newton(raw: np.ndarray, bits: int) -> np.ndarray:
    """2 / (1 + x) of 0 <= x <= 1, with two integer bits."""
    total = raw + top(bits)
    half = np.sign(total) * ((np.abs(total) + 1) >> 1)
    found = constant(SECANT_START, bits) + times(half, constant(SECANT_SLOPE, bits), bits)
    unit = 1 << (bits - 3)
    for _ in range(STEPS):
        error = unit - times(half, found, bits)
        found = found + raised(times(found, error, bits), 2, bits)
    return found


def one_over_one_plus(raw: np.ndarray, bits: int) -> np.ndarray:
    """1 / (1 + x) of 0 <= x <= 1, with no integer bits."""
    return raised(_newton(raw, bits), 1, bits)


def logistic(raw: np.ndarray, integer_bits: int, bits: int) -> np.ndarray:
    above = one_over_one_plus(exp_of_negative(-np.abs(raw), integer_bits, bits), bits)
    below = top(bits) - above
    return np.where(raw == 0, 1 << (bits - 2), np.where(raw > 0, above, below))


def tanh(raw: np.ndarray, integer_bits: int, bits: int) -> np.ndarray:
    """(1 - e) / (1 + e), e = exp(-2 |x|): twice x has one more integer bit."""
    shares = _newton(exp_of_negative(-np.abs(raw), integer_bits + 1, bits), bits)
    size = raised(shares - (1 << (bits - 3)), 2, bits)
    return np.where(raw == 0, 0, np.sign(raw) * size)


def inverse_root(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 / sqrt(v) of integers 1 <= v < 2^29, of 32 bits: a multiplier below 2^31, and n so that it
    stands for multiplier * 2^-(31 + n).

    Source: `GetInvSqrtQuantizedMultiplierExp` of TFLite.
    """
    headroom = 32 - np.frexp(values.astype(np.float64))[1].astype(np.int64)
    pairs = (headroom - 1) // 2 - 1
    raw = (values << (2 * pairs)) >> 1
    half = divided(raw, 1)
    x = np.full(values.shape, 1 << 28, np.int64)
    three_halves = (1 << 28) + (1 << 27)
    for _ in range(ROOT_STEPS):
        cube = raised(times(times(x, x, 32), x, 32), 6, 32)
        x = raised(times(x, three_halves, 32) - times(half, cube, 32), 3, 32)
    x = times(x, HALF_ROOT_OF_TWO, 32)
    one = values == 1
    return np.where(one, top(32), x), np.where(one, 0, 11 - pairs)
