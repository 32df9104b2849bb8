"""Batch: what every lane answered for the same samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from qflow.analysis.steps import Step


@dataclass(frozen=True)
class Batch:
    """One batch of samples through every lane."""

    outputs: Mapping[str, Mapping[str, np.ndarray]]
    """Lane to output name to float32 [N, ...]; see `lanes` for the names of lanes."""
    target: np.ndarray | None = None
    """What the data said is right, [N, ...]; None for data without targets."""
    integers: int = 0
    """How many integers the fast path and the oracle both computed, over all tensors."""
    mismatches: int = 0
    """How many of them differ."""
    steps: Mapping[str, Step] = field(default_factory=dict)
    """Per output name the size of one step of its grid."""
