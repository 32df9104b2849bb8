"""sum: the sum of the values along some axes."""

from __future__ import annotations

from qflow.emulation.ops._total import Total, examples, float_examples


class Sum(Total):
    """Attributes: dims (none of them negative, in order), keepdim."""

    name = "sum"
    functions = ("torch.sum", "torch.Tensor.sum")
    function = "sum"
    examples = examples("sum")
    float_examples = float_examples("sum")
    divides = False
