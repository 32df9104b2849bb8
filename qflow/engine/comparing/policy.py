"""policy: what must hold of a tensor: one measure and its limit, for the names a glob covers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from qflow import registry
from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.plan import address

EXACT = "exact"
MEASURES = {
    EXACT: "<=",
    "absolute": "<=",
    "relative": "<=",
    "cosine": ">=",
    "euclidean": ">=",
    "sqnr": ">=",
}
"""Measure to the side on which it is good."""
EVERY = "**"
_FORM = re.compile(
    r"\s*(?:(?P<glob>[^\s=<>]+)\s*:\s*)?(?P<measure>\w+)\s*(?:(?P<side><=|>=)\s*(?P<limit>\S+))?\s*"
)


@dataclass(frozen=True)
class Policy:
    measure: str
    limit: float = 0.0
    glob: str = EVERY

    @property
    def text(self) -> str:
        side = MEASURES[self.measure]
        return EXACT if self.measure == EXACT else f"{self.measure} {side} {self.limit:g}"

    def holds(self, value: float) -> bool:
        """NaN never does."""
        return value >= self.limit if MEASURES[self.measure] == ">=" else value <= self.limit


DEFAULT = Policy(EXACT)


def read(texts: Iterable[str]) -> tuple[Policy, ...]:
    """`cosine >= 0.99`, or `head.**: absolute <= 1e-3`, or `exact`. Raises QflowError QF383."""
    found, wrong = [], []
    for text in texts:
        try:
            found.append(_policy(text))
        except QflowError as error:
            wrong += error.diagnostics
    if wrong:
        raise QflowError(tuple(wrong))
    return tuple(found)


def policy_of(name: str, policies: Sequence[Policy]) -> Policy:
    """The last one that covers the name; exact where none does."""
    plain = name.partition("#")[0].partition(":")[0]
    covering = [p for p in policies if covers(p.glob, name) or covers(p.glob, plain)]
    return covering[-1] if covering else DEFAULT


def covers(glob: str, name: str) -> bool:
    return glob == EVERY or address.matches(glob, name)


def _policy(text: str) -> Policy:
    found = _FORM.fullmatch(text)
    if found is None:
        raise _wrong(text, "it is not MEASURE, a side and a number")
    measure, side, glob = found["measure"], found["side"], found["glob"] or EVERY
    if measure not in MEASURES:
        near = registry.nearest(measure, tuple(MEASURES))
        hint = f"; the nearest is `{near[0]}`" if near else ""
        raise _wrong(text, f"there is no measure `{measure}`{hint}")
    if (measure == EXACT) != (side is None):
        raise _wrong(text, f"`{measure}` {'takes no' if measure == EXACT else 'needs a'} limit")
    if side is None:
        return Policy(EXACT, 0.0, glob)
    if side != MEASURES[measure]:
        raise _wrong(text, f"`{measure}` is good where it is {MEASURES[measure]} its limit")
    try:
        limit = float(found["limit"])
    except ValueError:
        raise _wrong(text, f"`{found['limit']}` is no number") from None
    if not isfinite(limit):
        raise _wrong(text, f"`{found['limit']}` is no limit")
    return Policy(measure, limit, glob)


def _wrong(text: str, why: str) -> QflowError:
    return fail(
        Diagnostic(
            "QF383",
            f"the policy `{text}` is not understood: {why}",
            help='write it as `--policy "cosine >= 0.99"` or `--policy "head.**: exact"`; measures '
            f"are {', '.join(MEASURES)}",
        )
    )
