"""masked_fill: a number wherever a mask says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op, Unsupported
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class MaskedFill(Op):
    """Attribute: value. Operands: the tensor, then the mask of truth values."""

    name = "masked_fill"
    role = "elementwise"
    integer = False
    operands = (2, 2)
    functions = ("torch.masked_fill", "torch.Tensor.masked_fill", "torch.Tensor.masked_fill_")
    examples = (
        Example(
            ((2, 3), (2, 3)),
            {"value": -100.0},
            written=("x.masked_fill(y, -100.0)", "torch.masked_fill(x, y, value=-100.0)"),
            kinds=("float", "mask"),
        ),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        value = argument(args, kwargs, 2, "value", None)
        if len(shapes) != 2 or not isinstance(value, (int, float)):
            raise Unsupported("the value is a tensor: it must be a number")
        return {"value": float(value)}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0].masked_fill(operands[1], node.attributes["value"])
