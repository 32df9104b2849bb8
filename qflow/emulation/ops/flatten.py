"""flatten: neighbouring axes become one; the batch stays free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Op, Unsupported
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import nn


class Flatten(Op):
    """Attributes: start, end (axes, end included; negative ones count from the last)."""

    name = "flatten"
    role = "shape"
    modules = ("torch.nn.Flatten",)
    functions = ("torch.flatten", "torch.Tensor.flatten")
    shares_scale = True

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        m: Any = module
        return _attributes(m.start_dim, m.end_dim)

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        start = argument(args, kwargs, 1, "start_dim", 0)
        end = argument(args, kwargs, 2, "end_dim", -1)
        rank = len(shapes[0])
        return _attributes(start % rank, end % rank)


def _attributes(start: int, end: int) -> Mapping[str, Any]:
    if start == 0:
        raise Unsupported("start_dim = 0 flattens the batch: start at 1")
    return {"start": int(start), "end": int(end)}
