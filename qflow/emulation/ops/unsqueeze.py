"""unsqueeze: a new axis of one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Unsqueeze(Op):
    """Attribute: dim, where the new axis is, not negative."""

    name = "unsqueeze"
    role = "shape"
    integer = False
    shares_scale = True
    functions = ("torch.unsqueeze", "torch.Tensor.unsqueeze", "torch.Tensor.unsqueeze_")
    examples = (
        Example(((2, 3),), {"dim": 1}, written=("x.unsqueeze(1)", "torch.unsqueeze(x, dim=-2)")),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return {"dim": argument(args, kwargs, 1, "dim", 0) % (len(shapes[0]) + 1)}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0].unsqueeze(node.attributes["dim"])
