"""argmax: where the largest value along an axis is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Argmax(Op):
    """Attributes: dim (None: over all values), keepdim."""

    name = "argmax"
    role = "pool"
    integer = False
    gives_indices = True
    functions = ("torch.argmax", "torch.Tensor.argmax")
    examples = (
        Example(
            ((2, 3, 4),),
            {"dim": 1, "keepdim": False},
            written=("torch.argmax(x, 1)", "x.argmax(dim=-2)"),
        ),
        Example(((2, 3),), {"dim": None, "keepdim": False}, written=("x.argmax()",)),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        dim = argument(args, kwargs, 1, "dim", None)
        keepdim = argument(args, kwargs, 2, "keepdim", False)
        return {"dim": None if dim is None else dim % len(shapes[0]), "keepdim": bool(keepdim)}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0].argmax(node.attributes["dim"], node.attributes["keepdim"])
