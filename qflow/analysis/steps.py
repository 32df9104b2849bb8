"""steps: how far two lanes are apart, counted in steps of the output's grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_DECIMALS = 3
_NOISE = 0.01
"""Two float32 numbers of one grid differ by whole steps, up to this: each is rounded to 2^-24 of a
value of at most 2^15 steps, once or twice on its way."""


@dataclass(frozen=True)
class Step:
    """Size of one step: the output's scale; for a kept accumulator the scale it would have."""

    scale: float | None
    """The output's scale; None where the int32 accumulator is kept."""
    divisor: float = 1.0
    """For a kept accumulator: its step is the largest magnitude of the output divided by this."""


@dataclass
class Distance:
    """Largest difference of two tensors in steps, over batches."""

    difference: float = 0.0
    largest: float = 0.0

    def update(self, ours: np.ndarray, theirs: np.ndarray) -> None:
        """Tensors of one shape, real values. `largest` is taken of `ours`."""
        import numpy as np

        apart = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
        self.difference = max(self.difference, float(apart.max(initial=0.0)))
        self.largest = max(self.largest, float(np.abs(ours).max(initial=0.0)))

    def result(self, step: Step) -> float:
        """Steps between the two; infinite when they differ and the step is 0."""
        size = self.largest / step.divisor if step.scale is None else step.scale
        if self.difference == 0.0:
            return 0.0
        if not size:
            return float("inf")
        steps = self.difference / size
        whole = step.scale is not None and abs(steps - round(steps)) <= _NOISE
        return float(round(steps)) if whole else round(steps, _DECIMALS)
