"""amax: the largest of the values along some axes."""

from __future__ import annotations

from qflow.emulation.ops._reduction import Reduction, examples


class Amax(Reduction):
    """Attributes: dims (none of them negative, in order), keepdim."""

    name = "amax"
    functions = ("torch.amax", "torch.Tensor.amax")
    shares_scale = True
    function = "amax"
    examples = examples("amax")
