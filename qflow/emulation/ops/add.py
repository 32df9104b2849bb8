"""add: the sum of two tensors, or of a tensor and a number."""

from __future__ import annotations

from typing import Any

from qflow.emulation.op import CLAMP, Example
from qflow.emulation.ops._sum import Sum


class Add(Sum):
    """Attributes: scalar, alpha, where there are such; shapes broadcast as in torch."""

    name = "add"
    sign = 1
    functions = (
        "operator.add",
        "operator.iadd",
        "torch.add",
        "torch.Tensor.add",
        "torch.Tensor.add_",
        "torch.Tensor.__add__",
        "torch.Tensor.__radd__",
        "torch.Tensor.__iadd__",
    )
    pattern_word = "add"
    fields = CLAMP
    examples = (
        Example(((2, 3, 4, 5), (2, 3, 4, 5)), written=("x + y", "torch.add(x, y)", "x.add(y)")),
        Example(((2, 30), (2, 30)), activation="relu"),
        Example(((2, 3),), {"scalar": 2.0}, written=("x + 2.0", "2.0 + x", "torch.add(x, 2.0)")),
        Example(((2, 3, 4), (3, 1)), written=("x + y",)),
        Example(((2, 3), (2, 3)), {"alpha": 2}, written=("torch.add(x, y, alpha=2)",)),
        Example(((2, 3), (2, 3)), {"alpha": -0.5}, written=("torch.add(x, y, alpha=-0.5)",)),
    )

    def compute(self, left: Any, right: Any) -> Any:
        return left + right
