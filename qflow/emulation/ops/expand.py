"""expand: an axis of one value repeated as often as needed, without a copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op
from qflow.emulation.ops._sizes import sizes_of

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Expand(Op):
    """Attribute: sizes, all of them, -1 where the axis stays as it is."""

    name = "expand"
    role = "shape"
    integer = False
    shares_scale = True
    functions = ("torch.Tensor.expand", "torch.broadcast_to", "torch.Tensor.broadcast_to")
    examples = (
        Example(
            ((2, 1, 3),),
            {"sizes": (-1, 4, -1)},
            written=("x.expand(-1, 4, -1)", "x.expand((-1, 4, -1))", "x.expand(size=(-1, 4, -1))"),
        ),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return {"sizes": sizes_of(args, kwargs)}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0].expand(node.attributes["sizes"])
