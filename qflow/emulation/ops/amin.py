"""amin: the smallest of the values along some axes."""

from __future__ import annotations

from qflow.emulation.ops._along import Along
from qflow.emulation.ops._reduction import examples


class Amin(Along):
    """Attributes: dims (none of them negative, in order), keepdim."""

    name = "amin"
    functions = ("torch.amin", "torch.Tensor.amin")
    function = "amin"
    examples, float_examples = examples("amin")[:2], examples("amin")[2:]
