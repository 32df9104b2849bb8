"""abs: the magnitude of each value."""

from __future__ import annotations

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Abs(Unary):
    """No attributes."""

    name = "abs"
    role = "elementwise"
    functions = (
        "operator.abs",
        "torch.absolute",
        "torch.Tensor.absolute",
        "torch.Tensor.__abs__",
        "torch.abs",
        "torch.Tensor.abs",
        "torch.abs_",
        "torch.Tensor.abs_",
    )
    function = "abs"
    examples = (Example(((2, 3, 5),), written=("torch.abs(x)", "x.abs()", "abs(x)")),)
