"""pairs: input channels so arranged that no two neighbours add up beyond 16 bits.

Without VNNI, int8 kernels add the products of channels 0 and 1, of 2 and 3 and so on in 16 bits,
and everything else in 32. Which channels are neighbours is ours to choose: two of them may be when
in no output channel, at no tap, their weights of one sign add up to too much. What is too much for
two that find no neighbour goes to a copy of one of them, and those copies are neighbours in turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

PAIR = (1 << 15) - 1
"""What two products may add up to."""
MOST_WORK = 1 << 30
"""Sums of two weights that are looked at for one layer."""


@dataclass(frozen=True)
class Arranged:
    """Channels as they are fed, and their weights."""

    order: np.ndarray
    """int64 [fed]: a channel of the operand; any where the weights are 0."""
    weight: np.ndarray
    """int8 [out, fed, rows, columns]"""


def fit(weight: np.ndarray, most: int) -> bool:
    """Whether neighbours fit as they are, with operands from 0 to `most`.

    weight: int8 [out, in, rows, columns].
    """
    magnitudes, limits = _of_one_sign(weight, most)
    even = magnitudes.shape[1] // 2 * 2
    return bool((magnitudes[:, 0:even:2] + magnitudes[:, 1:even:2] <= limits).all())


def arranged(weight: np.ndarray, most: int) -> Arranged | None:
    """The same layer with neighbours that fit; None where looking for it takes too long."""
    if 2 * weight.size * weight.shape[1] > MOST_WORK:
        return None
    channels = np.arange(weight.shape[1])
    paired, alone = _matched(_fits(weight, most))
    one, other = alone[0 : len(alone) // 2 * 2 : 2], alone[1::2]
    excess = _excess(weight[:, one], weight[:, other], most)
    kept = weight.copy()
    kept[:, one] -= excess
    copies, alone_again = _matched(_fits(excess, most))
    last = alone[len(alone) // 2 * 2 :]
    parts = [
        (channels[paired], kept[:, paired]),
        (_in_turn(one, other), kept[:, _in_turn(one, other)]),
        (one[copies], excess[:, copies]),
        _beside_nothing(one[alone_again], excess[:, alone_again]),
        _beside_nothing(last, kept[:, last]),
    ]
    orders, weights = zip(*parts, strict=True)
    return Arranged(np.concatenate(orders), np.concatenate(weights, axis=1))


def _of_one_sign(weight: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Magnitudes of positive and of negative weights, int16 [rows, in], and what two of a row may
    add up to, [rows, 1]."""
    out, channels, *sides = weight.shape
    shape = (out * prod(sides), channels)
    taps = np.moveaxis(weight, 1, -1).reshape(shape).astype(np.int16)
    magnitudes = np.concatenate([np.maximum(taps, 0), np.maximum(-taps, 0)])
    limits = np.repeat([PAIR // most, (PAIR + 1) // most], len(taps))
    return magnitudes, limits[:, None].astype(np.int16)


def _fits(weight: np.ndarray, most: int) -> np.ndarray:
    """bool [in, in]: which two channels may be neighbours."""
    magnitudes, limits = _of_one_sign(weight, most)
    # rows in which any two fit say nothing
    telling = np.sort(magnitudes, axis=1)[:, -2:].sum(1) > limits[:, 0]
    magnitudes, limits = magnitudes[telling], limits[telling]
    channels = weight.shape[1]
    fits = ~np.eye(channels, dtype=bool)
    for i in range(channels - 1):
        fits[i, i + 1 :] = (magnitudes[:, i + 1 :] <= limits - magnitudes[:, i : i + 1]).all(0)
        fits[i + 1 :, i] = fits[i, i + 1 :]
    return fits


def _matched(fits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both of each pair that fits, one behind the other, and the rest. Who has the fewest choices
    chooses first."""
    count, never = fits.sum(1), len(fits) + 1
    left = np.ones(len(fits), bool)
    paired: list[int] = []
    alone: list[int] = []
    while left.any():
        one = int(np.where(left, count, never).argmin())
        left[one] = False
        free = fits[one] & left
        if not free.any():
            alone.append(one)
            continue
        other = int(np.where(free, count, never).argmin())
        left[other] = False
        count = count - fits[one] - fits[other]
        paired += [one, other]
    return np.array(paired, np.int64), np.sort(np.array(alone, np.int64))


def _excess(one: np.ndarray, other: np.ndarray, most: int) -> np.ndarray:
    """int8: what to take from the weights of one of two channels so that both fit."""
    total = one.astype(np.int16) + other
    high, low = PAIR // most, -((PAIR + 1) // most)
    same_sign = (one > 0) == (other > 0)
    return np.where(same_sign, total - np.clip(total, low, high), 0).astype(np.int8)


def _in_turn(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.stack([one, other], axis=1).reshape(-1)


def _beside_nothing(channels: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each channel beside one whose weights are 0."""
    nothing = np.zeros_like(weight)
    both = np.stack([weight, nothing], axis=2).reshape(len(weight), -1, *weight.shape[2:])
    return np.repeat(channels, 2), both
