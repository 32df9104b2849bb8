"""known: a constant of a node that may be indexed by a traced value, as tables are."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.export._onnx_integer.places import from_table
from qflow.export._onnx_integer.traced import Traced


class Known(np.ndarray):
    """An array in every other way."""

    def __getitem__(self, key: Any) -> Any:
        keys = key if isinstance(key, tuple) else (key,)
        if any(isinstance(k, Traced) for k in keys):
            return from_table(self.view(np.ndarray), key)
        return super().__getitem__(key)

    def take(self, indices: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
        if isinstance(indices, Traced):
            return np.take(self.view(np.ndarray), indices, axis)
        return super().take(indices, axis, *args, **kwargs)
