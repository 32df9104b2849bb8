"""silu: x * sigmoid(x), also called swish."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._curves import sigmoid
from qflow.emulation.ops._unary import Unary


class Silu(Unary):
    """No attributes."""

    name = "silu"
    modules = ("torch.nn.SiLU",)
    functions = ("torch.nn.functional.silu",)
    function = "nn.functional.silu"
    examples = (
        Example(
            ((2, 3, 5),), written=("F.silu(x)", "F.silu(x, inplace=True)", "nn.SiLU(inplace=True)")
        ),
    )

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return x * sigmoid(x)
