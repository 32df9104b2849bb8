"""stack: tensors side by side along a new axis; all lie on one grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Stack(Op):
    """Attribute: dim, the new axis, not negative."""

    name = "stack"
    role = "shape"
    integer = False
    shares_scale = True
    operands = (1, 1 << 16)
    functions = ("torch.stack",)
    examples = (
        Example(
            ((2, 3), (2, 3)),
            {"dim": 1},
            written=("torch.stack([x, y], 1)", "torch.stack((x, y), dim=-2)"),
        ),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return {"dim": argument(args, kwargs, 1, "dim", 0) % (len(shapes[0]) + 1)}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        return torch.stack(operands, node.attributes["dim"])
