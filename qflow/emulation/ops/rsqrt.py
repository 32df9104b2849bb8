"""rsqrt: one over the square root."""

from __future__ import annotations

from qflow.emulation.op import Example
from qflow.emulation.ops._unary import Unary


class Rsqrt(Unary):
    """No attributes."""

    name = "rsqrt"
    modules = ("qflow.nn.Rsqrt",)
    functions = ("torch.rsqrt", "torch.Tensor.rsqrt", "torch.rsqrt_", "torch.Tensor.rsqrt_")
    function = "rsqrt"
    examples = (
        Example(((2, 3, 5),), written=("torch.rsqrt(x)", "x.rsqrt()"), kinds=("positive",)),
    )
