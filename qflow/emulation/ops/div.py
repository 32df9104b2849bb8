"""div: the quotient of two tensors, or of a tensor and a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Unsupported
from qflow.emulation.ops._arithmetic import Arithmetic

if TYPE_CHECKING:
    from torch import Tensor


class Div(Arithmetic):
    """Attributes: scalar, reflected, where there are such; shapes broadcast as in torch."""

    name = "div"
    modules = ("qflow.nn.Div",)
    functions = (
        "operator.truediv",
        "operator.itruediv",
        "torch.div",
        "torch.divide",
        "torch.true_divide",
        "torch.Tensor.div",
        "torch.Tensor.div_",
        "torch.Tensor.divide",
        "torch.Tensor.true_divide",
        "torch.Tensor.__truediv__",
        "torch.Tensor.__rtruediv__",
        "torch.Tensor.__rdiv__",
        "torch.Tensor.__itruediv__",
        "torch.Tensor.__div__",
    )
    ordered = True
    examples = (
        Example(
            ((2, 3), (2, 3)), written=("x / y", "torch.div(x, y)"), kinds=("float", "positive")
        ),
        Example(((2, 3),), {"scalar": 6}, written=("x / 6", "x.div(6)"), kinds=("positive",)),
        Example(
            ((2, 3),), {"scalar": 1.0, "reflected": True}, written=("1.0 / x",), kinds=("positive",)
        ),
    )

    def attributes_of_function(
        self,
        function: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
    ) -> Mapping[str, Any]:
        if (mode := kwargs.get("rounding_mode")) is not None:
            raise Unsupported(f"rounding_mode = {mode!r}: only the quotient itself is computed")
        return super().attributes_of_function(function, args, kwargs, shapes)

    def compute(self, left: Any, right: Any) -> Tensor:
        result: Tensor = left / right
        return result
