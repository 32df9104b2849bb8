"""Levels: a rescale into few integers as the steps it takes, so that a cheaper one can be proved.

A rule that turns an accumulator into an output of 8 bits never falls as the accumulator grows, so
it is known by at most 255 numbers per channel: the least accumulator that gives each level. Another
formula that never falls either gives the same integers everywhere when it gives them on both sides
of each of these steps. That is a proof for every accumulator, by looking at 510 of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Rule = Callable[[np.ndarray], np.ndarray]
"""int64 [channels, n] accumulators to integers, exact, never falling along n, not clamped."""

MOST_LEVELS = 256
FAR = 1 << 30
"""An accumulator whose output tells the slope of the rule."""
NEAR = 2
"""A first guess is rarely off by more."""


@dataclass(frozen=True)
class Levels:
    """Steps of a rule, per channel."""

    first: np.ndarray
    """int64 [channels, levels]: the least reachable accumulator at or above the level, `high + 1`
    where none is."""
    numbers: np.ndarray
    """int64 [levels]: every output above the lowest."""
    low: np.ndarray
    """int64 [channels, 1]: the least accumulator that can occur."""
    high: np.ndarray
    slope: np.ndarray
    """float64 [channels]: output per accumulator, nearly."""

    def holds(self, formula: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """bool [channels]: whether `formula`, which must never fall, does what the rule does.

        `formula` takes int64 [channels, n] and its result is compared with the levels.
        """
        at, before = np.minimum(self.first, self.high), np.maximum(self.first - 1, self.low)
        reached = (formula(at) >= self.numbers) | (self.first > self.high)
        not_yet = (formula(before) < self.numbers) | (self.first <= self.low)
        return np.asarray((reached & not_yet).all(1))

    def only(self, channels: np.ndarray) -> Levels:
        """Those of some channels."""
        rows = (self.first[channels], self.low[channels], self.high[channels], self.slope[channels])
        first, low, high, slope = rows
        return Levels(first, self.numbers, low, high, slope)


def levels(rule: Rule, low: np.ndarray, high: np.ndarray, least: int, most: int) -> Levels:
    """The steps of `rule` clamped to `least..most`, on accumulators from `low` to `high`.

    `low` and `high`: int64 [channels], within 32 bits.
    """
    assert most - least < MOST_LEVELS, "a wide output has too many levels"
    low, high = low.reshape(-1, 1), high.reshape(-1, 1)
    numbers = np.arange(least + 1, most + 1)
    start = rule(np.zeros_like(low)).astype(np.float64)
    slope = (rule(np.full_like(low, FAR)) - rule(np.full_like(low, -FAR))) / (2.0 * FAR)
    with np.errstate(divide="ignore", invalid="ignore"):
        guess = np.ceil((numbers - 0.5 - start) / slope)
    guess = np.where(np.isfinite(guess), guess, 0)
    guess = np.clip(guess, low - NEAR, high + NEAR).astype(np.int64)
    below, above = low - 1, high + 1  # rule(below) < number <= rule(above), as if beyond the ends
    below, above = np.broadcast_arrays(below, above)
    below, above = below + 0 * guess, above + 0 * guess
    for probe in (guess - NEAR, guess + NEAR):
        below, above = _narrowed(rule, numbers, probe, below, above)
    while np.any(above - below > 1):
        below, above = _narrowed(rule, numbers, (below + above) // 2, below, above)
    return Levels(above, numbers, low, high, slope[:, 0])


def _narrowed(
    rule: Rule, numbers: np.ndarray, probe: np.ndarray, below: np.ndarray, above: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    inside = (probe > below) & (probe < above)
    reached = rule(np.where(inside, probe, 0)) >= numbers
    return np.where(inside & ~reached, probe, below), np.where(inside & reached, probe, above)
