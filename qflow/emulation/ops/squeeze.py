"""squeeze: axes of one value removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Unsupported, form
from qflow.emulation.ops._moving import Moving
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Squeeze(Moving):
    """Attribute: dims, the axes that are removed, none negative."""

    name = "squeeze"
    fields = form(dims="axes")
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

    def settled(
        self, node: PreparedNode, shape: tuple[int, ...], free: tuple[int, ...]
    ) -> Mapping[str, Any]:
        dims = node.attributes["dims"]
        # a batch of one sample is no axis to remove where another batch keeps it
        kept = free if node.free else ()
        return {"dims": tuple(d for d in dims if d not in kept)}

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        shape, dims = tuple(shapes[0]), attributes["dims"]
        if len(set(dims)) != len(dims):
            raise Unsupported(f"axes {dims} are named twice")
        if any(d >= len(shape) or shape[d] != 1 for d in dims):
            raise Unsupported(f"axes {dims} of a tensor {shape} have more than one value")
        return tuple(s for i, s in enumerate(shape) if i not in dims)

    def move(self, attributes: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        return x.squeeze(attributes["dims"])

    def fast_move(self, attributes: Mapping[str, Any], x: Tensor) -> Tensor:
        return x.squeeze(attributes["dims"])
