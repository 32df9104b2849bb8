"""max: the largest values along an axis and where they are; or of a whole, or of two tensors."""

from __future__ import annotations

from qflow.emulation.ops._extreme import Extreme, examples, of_all


class Max(Extreme):
    """Attributes: dim, keepdim where an axis is given; then the result is (values, indices)."""

    name = "max"
    functions = ("torch.max", "torch.Tensor.max")
    function = "max"
    of_two = "maximum"
    along = "amax"
    examples = examples("max")
    float_examples = of_all("max")
