"""split: a tensor cut into parts of given sizes along one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.op import Example
from qflow.emulation.ops._parts import Parts, equal_parts
from qflow.emulation.ops._window import argument


class Split(Parts):
    """Attributes: dim (not negative), sizes of the parts. The result is a tuple."""

    name = "split"
    functions = (
        "torch.split",
        "torch.Tensor.split",
        "torch.split_with_sizes",
        "torch.Tensor.split_with_sizes",
    )
    examples = (
        Example(
            ((2, 5, 3),),
            {"dim": 1, "sizes": (2, 2, 1)},
            written=("x.split(2, dim=1)", "torch.split(x, 2, -2)", "x.split([2, 2, 1], 1)"),
        ),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        dim = argument(args, kwargs, 2, "dim", 0) % len(shapes[0])
        names = ("split_size_or_sections", "split_size", "split_sizes")
        named = next((kwargs[n] for n in names if n in kwargs), 1)
        given = args[1] if len(args) > 1 else named
        sizes = equal_parts(shapes[0][dim], given) if isinstance(given, int) else tuple(given)
        return {"dim": dim, "sizes": sizes}
