"""minimum: the smaller of two tensors, value by value."""

from __future__ import annotations

from qflow.emulation.op import Example
from qflow.emulation.ops._larger import Larger


class Minimum(Larger):
    """No attributes; the operands keep their grids, the result has its own."""

    name = "minimum"
    function = "minimum"
    functions = ("torch.minimum", "torch.Tensor.minimum", "torch.fmin", "torch.Tensor.fmin")
    examples = (
        Example(((2, 3), (2, 3)), written=("torch.minimum(x, y)", "x.minimum(y)")),
        Example(((2, 3, 4), (3, 1)), written=("torch.minimum(x, y)",)),
    )
