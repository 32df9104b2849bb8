"""chunk: a tensor cut into a number of parts along one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.op import Example
from qflow.emulation.ops._parts import Parts, equal_parts
from qflow.emulation.ops._window import argument


class Chunk(Parts):
    """Attributes: dim (not negative), sizes of the parts. The result is a tuple."""

    name = "chunk"
    functions = ("torch.chunk", "torch.Tensor.chunk")
    examples = (
        Example(
            ((2, 5, 3),),
            {"dim": 1, "sizes": (3, 2)},
            written=("x.chunk(2, dim=1)", "torch.chunk(x, 2, -2)"),
        ),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        dim = argument(args, kwargs, 2, "dim", 0) % len(shapes[0])
        length = shapes[0][dim]
        size = -(-length // argument(args, kwargs, 1, "chunks", 1))
        return {"dim": dim, "sizes": equal_parts(length, size)}
