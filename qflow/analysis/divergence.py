"""divergence: where two lanes part, tensor by tensor in the order in which they are computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qflow.analysis.similarity.cosine import Cosine
from qflow.analysis.similarity.sqnr import Sqnr

if TYPE_CHECKING:
    from qflow.analysis.causes import Explanation

NOISE = 0.01
"""Steps that two float32 forms of one integer may be apart."""


@dataclass(frozen=True)
class Tensor:
    """One tensor of one lane on one batch."""

    values: np.ndarray
    """Real values, float64."""
    scale: np.ndarray | None = None
    """Of its grid, in a shape that broadcasts against the values; None for floats."""


@dataclass
class Row:
    """How far one tensor is apart in two lanes, over every batch."""

    address: str
    op: str
    elements: int = 0
    differing: int = 0
    """Values more than the noise of float32 apart."""
    steps: float = 0.0
    """Largest difference in steps of the integer grid."""
    sqnr: Sqnr = field(default_factory=Sqnr)
    cosine: Cosine = field(default_factory=Cosine)
    cause: Explanation | None = None
    """Of the first batch in which it differed, while all its operands agreed."""

    @property
    def equal(self) -> bool:
        return self.differing == 0

    def update(self, ours: np.ndarray, theirs: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Take in one batch: real values and the step. Returns where they differ."""
        apart = np.abs(ours - theirs) / scale
        differ: np.ndarray = ~(apart <= NOISE)  # NaN differs
        self.elements += ours.size
        self.differing += int(differ.sum())
        self.steps = max(self.steps, float(np.nan_to_num(apart, nan=np.inf).max(initial=0.0)))
        self.sqnr.update(ours, theirs)
        self.cosine.update(ours, theirs)
        return differ


@dataclass
class Comparison:
    """Two lanes, and every tensor both of them have, in order."""

    lanes: tuple[str, str]
    rows: dict[str, Row] = field(default_factory=dict)
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lane to the tensors that the other one does not have: they are part of another operator."""

    @property
    def first(self) -> Row | None:
        """The first tensor that differs."""
        return next((row for row in self.rows.values() if not row.equal), None)
