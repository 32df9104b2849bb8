"""hard_swish: x * relu6(x + 3) / 6."""

from __future__ import annotations

from typing import Any

import numpy as np

from qflow.emulation.op import Example
from qflow.emulation.ops._curves import relu6
from qflow.emulation.ops._unary import Unary


class HardSwish(Unary):
    """No attributes."""

    name = "hard_swish"
    modules = ("torch.nn.Hardswish",)
    functions = ("torch.nn.functional.hardswish",)
    function = "nn.functional.hardswish"
    examples = (
        Example(
            ((2, 3, 5),),
            written=("F.hardswish(x)", "F.hardswish(x, inplace=True)", "nn.Hardswish()"),
        ),
    )

    def formula(self, x: np.ndarray, **settings: Any) -> np.ndarray:
        return x * relu6(x + 3) / 6
