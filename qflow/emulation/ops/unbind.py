"""unbind: a tensor cut into its single places along one axis, which goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example
from qflow.emulation.ops._parts import Parts
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Unbind(Parts):
    """Attribute: dim, not negative. The result is a tuple."""

    name = "unbind"
    functions = ("torch.unbind", "torch.Tensor.unbind")
    examples = (
        Example(((2, 3, 4),), {"dim": 1}, written=("x.unbind(1)", "torch.unbind(x, dim=-2)")),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return {"dim": argument(args, kwargs, 1, "dim", 0) % len(shapes[0])}

    def sizes(self, attributes: Mapping[str, Any], shape: tuple[int, ...]) -> tuple[int, ...]:
        return (1,) * shape[attributes["dim"]]

    def kept(self, shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
        return (*shape[:dim], *shape[dim + 1 :])

    def meaning(self, node: PreparedNode, *operands: Tensor) -> tuple[Tensor, ...]:
        return operands[0].unbind(node.attributes["dim"])
