"""flatten: neighbouring axes become one; in integers the batch stays free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Unsupported, form
from qflow.emulation.ops._moving import Moving
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from qflow.quantization.prepared import PreparedNode


class Flatten(Moving):
    """Attributes: start, end (axes, end included; negative ones count from the last)."""

    name = "flatten"
    modules = ("torch.nn.Flatten",)
    functions = ("torch.flatten", "torch.Tensor.flatten", "torch.ravel", "torch.Tensor.ravel")
    rearranges = True
    fields = form(start="axis", end="axis")
    examples = (
        Example(((2, 3, 4, 5),), {"start": 1, "end": -1}, written=("nn.Flatten()",)),
        Example(
            ((2, 3, 4, 5),),
            {"start": 2, "end": 3},
            written=("x.flatten(2)", "torch.flatten(x, start_dim=-2)", "nn.Flatten(2, 3)"),
        ),
        Example(((2, 3),), {"start": 0, "end": 1}, written=("x.flatten()", "x.ravel()")),
    )

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        m: Any = module
        return {"start": int(m.start_dim), "end": int(m.end_dim)}

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        start = argument(args, kwargs, 1, "start_dim", 0)
        end = argument(args, kwargs, 2, "end_dim", -1)
        rank = len(shapes[0])
        return {"start": start % rank, "end": end % rank}

    def settled(
        self, node: PreparedNode, shape: tuple[int, ...], free: tuple[int, ...]
    ) -> Mapping[str, Any]:
        rank = len(shape)
        return {n: node.attributes[n] % rank for n in ("start", "end")}

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return _joined(attributes, tuple(shapes[0]))

    def move(self, attributes: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        return x.reshape(_joined(attributes, x.shape))

    def fast_move(self, attributes: Mapping[str, Any], x: Tensor) -> Tensor:
        return x.reshape(_joined(attributes, tuple(x.shape)))


def _joined(attributes: Mapping[str, Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with axes start to end as one."""
    start, end = (attributes[n] + len(shape) * (attributes[n] < 0) for n in ("start", "end"))
    if not 0 <= start <= end < len(shape):
        raise Unsupported(f"axes {start} to {end} of a tensor {shape} cannot be joined")
    return (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :])
