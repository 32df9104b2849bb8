"""grid: an integer grid as observers see it, and the divisor that a march sets."""

from __future__ import annotations

from dataclasses import dataclass

from qflow.dtype import DType


@dataclass(frozen=True)
class ObserverGrid:
    """Integers from `qmin` to `qmax`; a range of amax gets the scale amax / `divisor`."""

    qmin: int
    qmax: int
    divisor: float


def observer_grid(dtype: DType, divisor: str) -> ObserverGrid:
    """The grid of a dtype under a march's divisor rule.

    `half_range` is (qmax - qmin) / 2, 127.5 for int8; `qmax` is 127; `minus_qmin` is 128.
    """
    values = {
        "half_range": (dtype.qmax - dtype.qmin) / 2,
        "qmax": float(dtype.qmax),
        "minus_qmin": float(-dtype.qmin),
    }
    return ObserverGrid(dtype.qmin, dtype.qmax, values[divisor])
