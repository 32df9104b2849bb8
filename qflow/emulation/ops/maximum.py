"""maximum: the larger of two tensors, value by value."""

from __future__ import annotations

from qflow.emulation.op import Example
from qflow.emulation.ops._larger import Larger


class Maximum(Larger):
    """No attributes; the operands keep their grids, the result has its own."""

    name = "maximum"
    function = "maximum"
    functions = ("torch.maximum", "torch.Tensor.maximum", "torch.fmax", "torch.Tensor.fmax")
    examples = (
        Example(((2, 3), (2, 3)), written=("torch.maximum(x, y)", "x.maximum(y)")),
        Example(((2, 3, 4), (3, 1)), written=("torch.maximum(x, y)",)),
    )
