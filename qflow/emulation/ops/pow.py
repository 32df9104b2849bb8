"""pow: each value to a power, or a number to the power of each value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example
from qflow.emulation.ops._arithmetic import Arithmetic

if TYPE_CHECKING:
    from torch import Tensor


class Pow(Arithmetic):
    """Attributes: scalar (the exponent; with reflected, the base), where there is one."""

    name = "pow"
    modules = ("qflow.nn.Pow",)
    role = "activation"
    functions = (
        "operator.pow",
        "torch.pow",
        "torch.Tensor.pow",
        "torch.Tensor.pow_",
        "torch.Tensor.__pow__",
        "torch.Tensor.__rpow__",
        "torch.square",
        "torch.Tensor.square",
    )
    ordered = True
    examples = (
        Example(((2, 3),), {"scalar": 2}, written=("x ** 2", "x.pow(2)", "torch.square(x)")),
        Example(((2, 3),), {"scalar": 2, "reflected": True}, written=("2 ** x",)),
        Example(((2, 3), (2, 3)), written=("torch.pow(x, y)",), kinds=("positive", "float")),
    )

    def attributes_of_function(
        self,
        function: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
    ) -> Mapping[str, Any]:
        if function == "square":
            return {"scalar": 2}
        return super().attributes_of_function(function, args, kwargs, shapes)

    def compute(self, left: Any, right: Any) -> Tensor:
        result: Tensor = left**right
        return result
