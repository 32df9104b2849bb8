"""squeeze: axes of one value removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Squeeze(Op):
    """Attribute: dims, the axes that are removed, none negative."""

    name = "squeeze"
    role = "shape"
    integer = False
    shares_scale = True
    functions = ("torch.squeeze", "torch.Tensor.squeeze", "torch.Tensor.squeeze_")
    examples = (
        Example(((2, 3, 1),), {"dims": (2,)}, written=("x.squeeze(-1)", "torch.squeeze(x, dim=2)")),
        Example(((2, 3, 1, 1),), {"dims": (2, 3)}, written=("x.squeeze((2, 3))", "x.squeeze()")),
        Example(((2, 3),), {"dims": ()}, written=("x.squeeze(1)",)),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        given = argument(args, kwargs, 1, "dim", tuple(range(len(shapes[0]))))
        dims = (given,) if isinstance(given, int) else given
        axes = sorted(d % len(shapes[0]) for d in dims)
        return {"dims": tuple(d for d in axes if shapes[0][d] == 1)}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0].squeeze(node.attributes["dims"])
