"""sum: the sum of the values along some axes."""

from __future__ import annotations

from qflow.emulation.ops._reduction import Reduction, examples


class Sum(Reduction):
    """Attributes: dims (none of them negative, in order), keepdim."""

    name = "sum"
    functions = ("torch.sum", "torch.Tensor.sum")
    function = "sum"
    examples = examples("sum")
