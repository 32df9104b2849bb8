"""min: the smallest values along an axis and where they are; or of a whole, or of two tensors."""

from __future__ import annotations

from qflow.emulation.ops._extreme import Extreme, examples, of_all


class Min(Extreme):
    """Attributes: dim, keepdim where an axis is given; then the result is (values, indices)."""

    name = "min"
    functions = ("torch.min", "torch.Tensor.min")
    function = "min"
    of_two = "minimum"
    along = "amin"
    examples = examples("min")
    float_examples = of_all("min")
