"""floor: the next whole number below."""

from __future__ import annotations

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Floor(Unary):
    """No attributes."""

    name = "floor"
    role = "elementwise"
    modules = ("qflow.nn.Floor",)
    functions = ("torch.floor", "torch.Tensor.floor", "torch.floor_", "torch.Tensor.floor_")
    function = "floor"
    examples = (Example(((2, 3, 5),), written=("torch.floor(x)", "x.floor()")),)
