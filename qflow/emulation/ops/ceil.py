"""ceil: the next whole number above."""

from __future__ import annotations

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Ceil(Unary):
    """No attributes."""

    name = "ceil"
    role = "elementwise"
    modules = ("qflow.nn.Ceil",)
    functions = ("torch.ceil", "torch.Tensor.ceil", "torch.ceil_", "torch.Tensor.ceil_")
    function = "ceil"
    examples = (Example(((2, 3, 5),), written=("torch.ceil(x)", "x.ceil()")),)
