"""mean: the average of the values along some axes."""

from __future__ import annotations

from qflow.emulation.ops._reduction import Reduction, examples


class Mean(Reduction):
    """Attributes: dims (none of them negative, in order), keepdim."""

    name = "mean"
    functions = ("torch.mean", "torch.Tensor.mean")
    function = "mean"
    examples = examples("mean")
