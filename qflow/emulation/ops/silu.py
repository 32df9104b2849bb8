"""silu: x * sigmoid(x), also called swish."""

from __future__ import annotations

from qflow.emulation.op import Example
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
