"""mish: x * tanh(softplus(x))."""

from __future__ import annotations

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Mish(Unary):
    """No attributes."""

    name = "mish"
    modules = ("torch.nn.Mish",)
    functions = ("torch.nn.functional.mish",)
    function = "nn.functional.mish"
    examples = (Example(((2, 3, 5),), written=("F.mish(x)", "nn.Mish()")),)
