"""repeat: a tensor laid out several times along its axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op
from qflow.emulation.ops._sizes import sizes_of

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Repeat(Op):
    """Attribute: times, how often along each axis; more of them than axes add axes in front."""

    name = "repeat"
    role = "shape"
    integer = False
    shares_scale = True
    functions = ("torch.Tensor.repeat", "torch.tile", "torch.Tensor.tile")
    examples = (
        Example(
            ((2, 1, 3),),
            {"times": (1, 4, 2)},
            written=("x.repeat(1, 4, 2)", "x.repeat((1, 4, 2))", "torch.tile(x, (4, 2))"),
        ),
        Example(((2, 3),), {"times": (2, 1, 1)}, written=("x.repeat(2, 1, 1)",)),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        times = sizes_of(args, kwargs)
        return {"times": (1,) * (len(shapes[0]) - len(times)) + times}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0].repeat(node.attributes["times"])
