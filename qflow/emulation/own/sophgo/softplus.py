"""softplus: a table of 256 entries, made in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.arrays import as_array
from qflow.emulation.ops import softplus as general
from qflow.emulation.own.sophgo._table import Lookup


class Softplus(Lookup, general.Softplus):
    """`log(1 + exp(beta * x)) / beta` everywhere: no threshold beyond which it is x."""

    def formula(self, x: np.ndarray, *, beta: float = 1.0, **settings: Any) -> np.ndarray:
        return as_array(np.logaddexp(0.0, beta * x) / beta)
