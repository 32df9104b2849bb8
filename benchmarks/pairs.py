"""pairs: lanes timed in turns, compared with one of them round by round."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Lane:
    """Times of one way to do the same work; `ratios` are against the base in the same round."""

    name: str
    seconds: tuple[float, ...]
    ratios: tuple[float, ...]

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """Quartiles of the ratio."""
        if len(self.ratios) == 1:
            return self.ratios[0], self.ratios[0]
        first, _, third = statistics.quantiles(self.ratios, n=4, method="inclusive")
        return first, third


def measure(
    lanes: Mapping[str, Work], base: str, rounds: int, warm: int = 2, least_s: float = 0.0
) -> list[Lane]:
    """Time every lane once per round, each round starting with another lane.

    A slow phase of the machine hits all lanes of a round alike, so the ratio within a round is what
    counts; the median over rounds drops the rounds in which it did not. Work shorter than `least_s`
    is called so often that a turn of the base lasts that long; times are those of one call.
    """
    for _ in range(warm):
        for work in lanes.values():
            work()
    calls = max(1, math.ceil(least_s / _timed(lanes[base], 1))) if least_s else 1
    names = list(lanes)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            seconds[name].append(_timed(lanes[name], calls))
    return [
        Lane(
            name,
            tuple(seconds[name]),
            tuple(s / b for s, b in zip(seconds[name], seconds[base], strict=True)),
        )
        for name in names
    ]


def _timed(work: Work, calls: int) -> float:
    """Seconds of one call, over so many."""
    started = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - started) / calls


def table(title: str, lanes: list[Lane], base: str) -> str:
    """One table: median time, median ratio and its quartiles."""
    width = max(len(lane.name) for lane in lanes)
    lines = [title, f"  {'':{width}}  {'median':>9}  {'ratio':>6}  quartiles"]
    for lane in lanes:
        low, high = lane.spread
        mark = "  <- 1" if lane.name == base else ""
        lines.append(
            f"  {lane.name:{width}}  {lane.median_s * 1e3:>6.1f} ms  {lane.ratio:>6.2f}"
            f"  {low:.2f} to {high:.2f}{mark}"
        )
    return "\n".join(lines)
