"""What mean, sum, amax and amin share: one value from all that lie along some axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

from qflow.emulation.op import Example, Op, Unsupported
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Reduction(Op):
    """Attributes: dims (none of them negative, in order), keepdim."""

    role = "pool"
    integer = False
    function: ClassVar[str]
    """What it computes, below `torch`."""

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        if kwargs.get("dtype") is not None:
            raise Unsupported(f"dtype = {kwargs['dtype']}: it keeps the dtype of its operand")
        rank = len(shapes[0])
        given = argument(args, kwargs, 1, "dim", kwargs.get("axis"))
        dims = given if isinstance(given, (tuple, list)) else () if given is None else (given,)
        if not all(isinstance(d, int) for d in dims):
            raise Unsupported(f"dim = {given!r}: it must be whole numbers")
        keepdim = argument(args, kwargs, 2, "keepdim", kwargs.get("keepdims", False))
        axes = tuple(sorted(d % rank for d in dims)) or tuple(range(rank))
        return {"dims": axes, "keepdim": bool(keepdim)}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        a = node.attributes
        result: Tensor = attrgetter(self.function)(torch)(
            operands[0], dim=a["dims"], keepdim=a["keepdim"]
        )
        return result


def examples(name: str) -> tuple[Example, ...]:
    """The forms in which models write the reduction of that name."""
    image = ((2, 3, 4, 5),)
    return (
        Example(
            image,
            {"dims": (2, 3), "keepdim": True},
            written=(
                f"x.{name}((2, 3), keepdim=True)",
                f"torch.{name}(x, (-1, -2), True)",
                f"torch.{name}(x, dim=[2, 3], keepdim=True)",
            ),
        ),
        Example(image, {"dims": (1,), "keepdim": False}, written=(f"x.{name}(dim=1)",)),
        Example(image, {"dims": (0, 1, 2, 3), "keepdim": False}, written=(f"x.{name}()",)),
    )
