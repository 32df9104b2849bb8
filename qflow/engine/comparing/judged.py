"""judged: one pair of tensors, measured block by block in float64, and whether its policy holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, prod, sqrt

import numpy as np

from qflow.analysis.similarity.cosine import Cosine
from qflow.analysis.similarity.sqnr import Sqnr
from qflow.engine.comparing.policy import EXACT, Policy
from qflow.engine.comparing.stored import Tensor

_TINY = 1e-7
"""Keeps the Euclidean similarity of two tensors of zeros a number, as in the field."""


@dataclass(frozen=True)
class Verdict:
    name: str
    other: str
    """Its name on the second side."""
    policy: Policy
    elements: int = 0
    measured: tuple[tuple[str, float], ...] = ()
    """Every measure and its value."""
    problem: str = ""
    """Why it cannot be compared."""
    skipped: str = ""
    """Why it was not compared."""

    @property
    def value(self) -> float | None:
        """What the policy is about."""
        found = dict(self.measured)
        return found.get("absolute" if self.policy.measure == EXACT else self.policy.measure)

    @property
    def holds(self) -> bool:
        if self.skipped:
            return True
        value = self.value
        return not self.problem and value is not None and self.policy.holds(value)


def judge(names: tuple[str, str], first: Tensor, second: Tensor, policy: Policy) -> Verdict:
    """Raises Damaged and OSError for a side that cannot be read."""
    a, b = first.shape, second.shape
    if a is not None and b is not None and _plain(a) != _plain(b):
        return Verdict(*names, policy, problem=f"{list(a)} and {list(b)} are different shapes")
    sizes = [sum(prod(p.shape) for p in t.parts) for t in (first, second)]
    if sizes[0] != sizes[1]:
        text = f"{sizes[0]:,} and {sizes[1]:,} values"
        return Verdict(*names, policy, problem=text)
    real = _in_real_values(first, second)
    sums = _Sums()
    for ours, theirs in _together(first.blocks(real), second.blocks(real)):
        sums.update(ours, theirs)
    return Verdict(*names, policy, sizes[0], sums.measured())


class _Sums:
    def __init__(self) -> None:
        self._sqnr, self._cosine = Sqnr(), Cosine()
        self._absolute = self._relative = 0.0
        self._squares = [0.0, 0.0]
        """Of the difference, and of the mean of both."""
        self._broken = False

    def update(self, ours: np.ndarray, theirs: np.ndarray) -> None:
        odd = ~(np.isfinite(ours) & np.isfinite(theirs))
        if odd.any():
            # the same infinity, or NaN on both sides, is the same
            self._broken |= not np.array_equal(ours[odd], theirs[odd], equal_nan=True)
            ours, theirs = np.where(odd, 0.0, ours), np.where(odd, 0.0, theirs)
        apart = np.abs(ours - theirs)
        self._absolute = max(self._absolute, float(apart.max(initial=0.0)))
        size = np.maximum(np.abs(ours), np.abs(theirs))
        share = np.divide(apart, size, out=np.zeros_like(apart), where=size > 0)
        self._relative = max(self._relative, float(share.max(initial=0.0)))
        middle = (ours + theirs) / 2
        self._squares[0] += float(apart @ apart)
        self._squares[1] += float(middle @ middle)
        self._sqnr.update(ours, theirs)
        self._cosine.update(ours, theirs)

    def measured(self) -> tuple[tuple[str, float], ...]:
        if self._broken:
            worst = {"absolute": inf, "relative": inf, "cosine": -inf, "euclidean": -inf}
            return tuple({**worst, "sqnr": -inf}.items())
        apart, middle = (sqrt(s) for s in self._squares)
        found = {
            "absolute": self._absolute,
            "relative": self._relative,
            "cosine": self._cosine.result() if len(self._cosine.state) else 1.0,
            "euclidean": 1.0 if apart == 0.0 else 1.0 - apart / (middle + _TINY),
            "sqnr": self._sqnr.result() if len(self._sqnr.state) else inf,
        }
        return tuple(found.items())


def _in_real_values(first: Tensor, second: Tensor) -> bool:
    """Integers are compared as they are where both sides have some, and not on different grids."""
    if not (first.is_whole and second.is_whole):
        return True
    grids = [t.grid for t in (first, second) if t.grid is not None]
    return len(grids) == 2 and grids[0] != grids[1]


def _plain(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Without dimensions of one, which tools add and take as they like."""
    return tuple(n for n in shape if n != 1)


def _together(
    first: Iterator[np.ndarray], second: Iterator[np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks of both of one size; the sides have as many values."""
    ours = theirs = np.empty(0)
    while True:
        # no block is empty
        if not ours.size and (ours := next(first, ours)).size == 0:
            return
        theirs = theirs if theirs.size else next(second)
        count = min(ours.size, theirs.size)
        yield ours[:count], theirs[:count]
        ours, theirs = ours[count:], theirs[count:]
