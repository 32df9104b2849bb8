"""erf: the error function."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._curves import erf
from qflow.emulation.ops._unary import Unary


class Erf(Unary):
    """No attributes."""

    name = "erf"
    modules = ("qflow.nn.Erf",)
    functions = (
        "torch.erf",
        "torch.Tensor.erf",
        "torch.special.erf",
        "torch.erf_",
        "torch.Tensor.erf_",
    )
    function = "erf"
    examples = (Example(((2, 3, 5),), written=("torch.erf(x)", "x.erf()")),)

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return erf(x)
