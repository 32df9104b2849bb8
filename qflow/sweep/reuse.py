"""reuse: how much of a point was there already, in words."""

from collections.abc import Sequence

_TRACE = "trace"
"""It is made in every process, and is no artifact that could be taken over."""
_TAKEN = ("reused", "resumed")


def told(stages: Sequence[tuple[str, str, float]]) -> str:
    """`3 of 8`; empty where the point came to no stage."""
    how = [how for name, how, _ in stages if name != _TRACE]
    return f"{sum(h in _TAKEN for h in how)} of {len(how)}" if how else ""
