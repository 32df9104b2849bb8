"""Causes: why two lanes give other integers for one operator; one file each, its name is the cause.

Each class inherits from `Cause`: `share(case)` says which part of the differing integers it
explains. `rank` orders them: of two that explain as much, the lower one is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from qflow import registry

if TYPE_CHECKING:
    import numpy as np

    from qflow.emulation.graph import Node
    from qflow.quantization.prepared import PreparedNode

UNKNOWN = "unexplained"
ENOUGH = 0.5
"""A cause is named when it explains at least so much of what differs."""


@dataclass(frozen=True)
class Case:
    """One operator whose operands agree in two lanes and whose outputs do not.

    Arrays have one entry per differing value, float64, in steps of the output's grid.
    """

    node: Node
    """The integer node."""
    prepared: PreparedNode
    """The same of the fake-quantized model: parameters in floats."""
    lanes: tuple[str, str]
    ours: np.ndarray
    theirs: np.ndarray
    exact: np.ndarray
    """The output before it is rounded and clamped, with the integer graph's parameters."""
    bias_error: np.ndarray
    """What rounding the bias added to `exact`; 0 where there is none."""
    accumulator: np.ndarray
    """The exact sum in steps of the accumulator; empty where nothing is summed."""
    same_scale: bool
    """Whether both lanes have the output on one grid."""


class Cause:
    """One reason."""

    rank: ClassVar[int]
    says: ClassVar[str]
    """A sentence for people, lower case and without full stop."""

    def share(self, case: Case) -> float:
        """Of the differing values the part this explains, 0 to 1."""
        raise NotImplementedError


@dataclass(frozen=True)
class Explanation:
    name: str
    says: str
    share: float


def explain(case: Case) -> Explanation:
    """The cause that explains most of what differs; `unexplained` where none explains half."""
    every = [(name, registry.load("analysis.causes", name)()) for name in _names()]
    found = [(cause.share(case), -cause.rank, name, cause) for name, cause in every]
    share, _, name, cause = max(found, key=lambda f: f[:2])
    if share < ENOUGH:
        return Explanation(UNKNOWN, "no known cause explains half of what differs", share)
    return Explanation(name, cause.says, share)


def _names() -> tuple[str, ...]:
    return registry.names("analysis.causes")
