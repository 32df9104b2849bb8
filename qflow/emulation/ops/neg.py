"""neg: each value with its sign changed."""

from __future__ import annotations

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Neg(Unary):
    """No attributes."""

    name = "neg"
    role = "elementwise"
    functions = (
        "operator.neg",
        "torch.negative",
        "torch.Tensor.negative",
        "torch.Tensor.__neg__",
        "torch.neg",
        "torch.Tensor.neg",
        "torch.neg_",
        "torch.Tensor.neg_",
    )
    function = "neg"
    examples = (Example(((2, 3, 5),), written=("torch.neg(x)", "x.neg()", "-x")),)
