"""lowest: the smallest value an observer saw, where it remembers that."""

from __future__ import annotations

import torch
from torch import Tensor

from qflow.quantization.observers._histogram import Counts
from qflow.quantization.observers.fixed import Fixed
from qflow.quantization.statistics import Statistics


def lowest(statistics: Statistics) -> float | None:
    """The smallest value seen over all channels; of a histogram the edge of its lowest bin.

    None where only magnitudes are known, as of a range from -x to x that was loaded: a target that
    has unsigned grids then takes the signed one.
    """
    observer = statistics.observer
    if isinstance(observer, Fixed):
        return 0.0 if observer.unsigned else None
    found = _of_state(statistics)
    if found is not None and torch.isfinite(found).all():
        return float(found.min())
    low, high = statistics.min_val, statistics.max_val
    if statistics.seen and not torch.equal(low, -high):
        return float(low.min())
    return None


def _of_state(statistics: Statistics) -> Tensor | None:
    state = statistics.state
    if isinstance(state, Counts):
        return _of_counts(state)
    return state.tensors().get("low")


def _of_counts(state: Counts) -> Tensor | None:
    """[channels]. A bin of negative values ends at zero at most; the largest magnitude is exact."""
    bins = state.bins
    filled = state.counts > 0
    if not bool((filled.any(dim=1) | (state.zeros > 0)).all()):
        return None
    first = filled.int().argmax(dim=1)
    edge = ((first - bins) * state.width).maximum(-state.largest)
    nothing = ~filled.any(dim=1)
    # zeros are counted apart
    zeros = (state.zeros > 0) & (edge > 0)
    return edge.where(~(nothing | zeros), torch.zeros_like(edge))
