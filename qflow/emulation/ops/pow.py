"""pow: each value to a power, or a number to the power of each value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Constant, Example, Fast, Range
from qflow.emulation.ops import _table
from qflow.emulation.ops._arithmetic import Arithmetic

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Pow(Arithmetic):
    """Attributes: scalar (the exponent; with reflected, the base), where there is one.

    In integers a table, so one of both must be a number.
    """

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
    within = _table.INTERPOLATED
    examples = (
        Example(((2, 3),), {"scalar": 2}, written=("x ** 2", "x.pow(2)", "torch.square(x)")),
        Example(((2, 3),), {"scalar": 3}, written=("x ** 3",)),
        Example(((2, 3),), {"scalar": 0.5}, written=("x ** 0.5",), kinds=("positive",)),
        Example(((2, 3),), {"scalar": 2, "reflected": True}, written=("2 ** x",)),
    )
    float_examples = (
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

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        return "" if "scalar" in attributes else "a tensor to the power of another has no table"

    def compute(self, left: Any, right: Any) -> Any:
        return left**right

    def lower(self, node: PreparedNode, build: Builder) -> None:
        settings = node.attributes
        _table.lower(node, build, "pow", lambda x: self.real(settings, x), self.within)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _table.roles(call)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return _table.values(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return _table.oracle(call, operands[0])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return _table.fast(call, device)
