"""overwriting: `x[i] = y` as a function of a graph, whose result is what later readers read."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def set_item(x: Tensor, index: Any, value: Any) -> Tensor:
    """Put `value` into `x` at `index`, in place; returns `x`."""
    x[index] = value
    return x
