"""What max and min share, whose functions take one tensor, a tensor and an axis, or two tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from qflow.emulation.op import Example, Op
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Extreme(Op):
    """Attributes: dim, keepdim where an axis is given; then the result is (values, indices)."""

    role = "pool"
    integer = False
    operands = (1, 2)
    function: ClassVar[str]
    """Its name below `torch`."""

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        dim = argument(args, kwargs, 1, "dim", None)
        if len(shapes) == 2 or dim is None:
            return {}
        keepdim = argument(args, kwargs, 2, "keepdim", False)
        return {"dim": int(dim) % len(shapes[0]), "keepdim": bool(keepdim)}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor | tuple[Tensor, ...]:
        import torch

        found = getattr(torch, self.function)(*operands, **node.attributes)
        return tuple(found) if isinstance(found, tuple) else found


def examples(name: str) -> tuple[Example, ...]:
    """The forms in which models write `max` and `min`."""
    along = {"dim": 1, "keepdim": False}
    return (
        Example(((2, 3, 4),), along, written=(f"torch.{name}(x, 1)", f"x.{name}(dim=-2)")),
        Example(((2, 3),), written=(f"torch.{name}(x)", f"x.{name}()")),
        Example(((2, 3), (2, 3)), written=(f"torch.{name}(x, y)",)),
    )
