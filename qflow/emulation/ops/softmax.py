"""softmax: shares of a sum of exponents along one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op, Unsupported
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor, nn

    from qflow.quantization.prepared import PreparedNode


class Softmax(Op):
    """Attribute: dim; a negative one counts from the last axis."""

    name = "softmax"
    role = "activation"
    integer = False
    modules = ("torch.nn.Softmax", "torch.nn.Softmax2d")
    functions = ("torch.softmax", "torch.nn.functional.softmax", "torch.Tensor.softmax")
    examples = (
        Example(
            ((2, 3, 4),),
            {"dim": -1},
            written=(
                "torch.softmax(x, -1)",
                "F.softmax(x, dim=-1)",
                "x.softmax(-1)",
                "nn.Softmax(-1)",
            ),
        ),
        Example(((2, 3, 4, 4),), {"dim": -3}, written=("nn.Softmax2d()",)),
    )

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        return _along(getattr(module, "dim", -3))

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return _along(argument(args, kwargs, 1, "dim", None))

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0].softmax(node.attributes["dim"])


def _along(dim: Any) -> Mapping[str, Any]:
    if not isinstance(dim, int):
        raise Unsupported(f"dim = {dim!r}: say along which axis")
    return {"dim": dim}
