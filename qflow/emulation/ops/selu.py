"""selu: an elu with the two constants that keep mean and variance."""

from __future__ import annotations

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Selu(Unary):
    """No attributes."""

    name = "selu"
    modules = ("torch.nn.SELU", "qflow.nn.Selu")
    functions = ("torch.selu", "torch.nn.functional.selu", "torch.selu_")
    function = "selu"
    examples = (Example(((2, 3, 5),), written=("F.selu(x)", "torch.selu(x)", "nn.SELU()")),)
