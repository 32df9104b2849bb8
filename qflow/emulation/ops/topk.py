"""topk: the largest values along an axis, in order, and where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Topk(Op):
    """Attributes: k, dim, largest, sorted."""

    name = "topk"
    role = "pool"
    integer = False
    shares_scale = True
    functions = ("torch.topk", "torch.Tensor.topk")
    examples = (
        Example(
            ((2, 7),),
            {"k": 3, "dim": 1, "largest": True, "sorted": True},
            written=("torch.topk(x, 3)", "x.topk(k=3, dim=-1)"),
        ),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return {
            "k": int(argument(args, kwargs, 1, "k", 1)),
            "dim": argument(args, kwargs, 2, "dim", -1) % len(shapes[0]),
            "largest": bool(argument(args, kwargs, 3, "largest", True)),
            "sorted": bool(argument(args, kwargs, 4, "sorted", True)),
        }

    def meaning(self, node: PreparedNode, *operands: Tensor) -> tuple[Tensor, ...]:
        return tuple(operands[0].topk(**node.attributes))
