"""amin: the smallest of the values along some axes."""

from __future__ import annotations

from qflow.emulation.ops._reduction import Reduction, examples


class Amin(Reduction):
    """Attributes: dims (none of them negative, in order), keepdim."""

    name = "amin"
    functions = ("torch.amin", "torch.Tensor.amin")
    shares_scale = True
    function = "amin"
    examples = examples("amin")
