"""mul: the product of two tensors, or of a tensor and a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example
from qflow.emulation.ops._arithmetic import Arithmetic

if TYPE_CHECKING:
    from torch import Tensor


class Mul(Arithmetic):
    """Attribute: scalar, where there is one; shapes broadcast as in torch."""

    name = "mul"
    functions = (
        "operator.mul",
        "operator.imul",
        "torch.mul",
        "torch.multiply",
        "torch.Tensor.mul",
        "torch.Tensor.mul_",
        "torch.Tensor.multiply",
        "torch.Tensor.__mul__",
        "torch.Tensor.__rmul__",
        "torch.Tensor.__imul__",
    )
    examples = (
        Example(((2, 3), (2, 3)), written=("x * y", "torch.mul(x, y)", "x.mul(y)")),
        Example(((2, 3, 4, 4), (2, 3, 1, 1)), written=("x * y",)),
        Example(
            ((2, 3),),
            {"scalar": 0.5},
            written=("x * 0.5", "0.5 * x", "torch.mul(x, 0.5)", "x.mul_(0.5)"),
        ),
    )

    def compute(self, left: Any, right: Any) -> Tensor:
        result: Tensor = left * right
        return result
