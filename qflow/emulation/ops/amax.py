"""amax: the largest of the values along some axes."""

from __future__ import annotations

from qflow.emulation.ops._along import Along
from qflow.emulation.ops._reduction import examples


class Amax(Along):
    """Attributes: dims (none of them negative, in order), keepdim."""

    name = "amax"
    functions = ("torch.amax", "torch.Tensor.amax")
    function = "amax"
    examples, float_examples = examples("amax")[:2], examples("amax")[2:]
