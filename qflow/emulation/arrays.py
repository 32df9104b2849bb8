"""arrays: `np.asarray` for rules that also run on what stands for an array, in exporters."""

from __future__ import annotations

from typing import Any

import numpy as np


def as_array(values: Any, dtype: Any = None) -> np.ndarray:
    """An array of the values; what has a dtype of its own and is no array stays what it is."""
    if isinstance(values, (np.ndarray, np.generic)) or not hasattr(values, "dtype"):
        return np.asarray(values, dtype)
    return values if dtype is None else values.astype(dtype)  # type: ignore[no-any-return]
