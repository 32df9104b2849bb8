"""sub: the difference of two tensors, or of a tensor and a number."""

from __future__ import annotations

from typing import Any

from qflow.emulation.op import Example, form
from qflow.emulation.ops._sum import Sum


class Sub(Sum):
    """Attributes: scalar, reflected, alpha, where there are such; shapes broadcast as in torch."""

    name = "sub"
    sign = -1
    functions = (
        "operator.sub",
        "operator.isub",
        "torch.sub",
        "torch.subtract",
        "torch.rsub",
        "torch.Tensor.sub",
        "torch.Tensor.sub_",
        "torch.Tensor.subtract",
        "torch.Tensor.__sub__",
        "torch.Tensor.__rsub__",
        "torch.Tensor.__isub__",
    )
    ordered = True
    fields = form(reflected="flag", low="integer", high="integer")
    examples = (
        Example(((2, 3), (2, 3)), written=("x - y", "torch.sub(x, y)", "x.sub(y)")),
        Example(((2, 3, 4), (3, 1)), written=("x - y",)),
        Example(((2, 3),), {"scalar": 2.0}, written=("x - 2.0", "torch.sub(x, 2.0)")),
        Example(
            ((2, 3),),
            {"scalar": 1, "reflected": True},
            written=("1 - x", "torch.rsub(x, 1)", "x.__rsub__(1)"),
        ),
        Example(((2, 3), (2, 3)), {"alpha": 2}, written=("torch.sub(x, y, alpha=2)",)),
        Example(((2, 3), (2, 3)), {"reflected": True}, written=("torch.rsub(x, y)",)),
    )

    def compute(self, left: Any, right: Any) -> Any:
        return left - right
