"""mean: the average of the values along some axes."""

from __future__ import annotations

from qflow.emulation.ops._total import Total, examples, float_examples


class Mean(Total):
    """Attributes: dims (none of them negative, in order), keepdim."""

    name = "mean"
    functions = ("torch.mean", "torch.Tensor.mean")
    function = "mean"
    examples = examples("mean")
    float_examples = float_examples("mean")
    divides = True
