"""expand: an axis of one value repeated as often as needed, without a copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Example, Unsupported, form
from qflow.emulation.ops._moving import Moving
from qflow.emulation.ops._sizes import sizes_of

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Expand(Moving):
    """Attribute: sizes, all of them, -1 where the axis stays as it is."""

    name = "expand"
    fields = form(sizes="offsets")
    functions = ("torch.Tensor.expand", "torch.broadcast_to", "torch.Tensor.broadcast_to")
    examples = (
        Example(
            ((2, 1, 3),),
            {"sizes": (-1, 4, -1)},
            written=("x.expand(-1, 4, -1)", "x.expand((-1, 4, -1))", "x.expand(size=(-1, 4, -1))"),
        ),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return {"sizes": sizes_of(args, kwargs)}

    def settled(
        self, node: PreparedNode, shape: tuple[int, ...], free: tuple[int, ...]
    ) -> Mapping[str, Any]:
        sizes = list(node.attributes["sizes"])
        new = len(sizes) - len(shape)
        for i, size in enumerate(sizes):
            if i - new in free:
                sizes[i] = -1
            elif i in node.free:
                raise Unsupported(f"axis {i} repeats values once per sample: only constants can")
            elif i >= new and size == shape[i - new]:
                sizes[i] = -1
        return {"sizes": tuple(sizes)}

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return _expanded(attributes["sizes"], tuple(shapes[0]))

    def move(self, attributes: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        return np.broadcast_to(x, _expanded(attributes["sizes"], x.shape))

    def fast_move(self, attributes: Mapping[str, Any], x: Tensor) -> Tensor:
        return x.expand(attributes["sizes"])


def _expanded(sizes: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of the result. Raises Unsupported for sizes that the values do not fill."""
    new = len(sizes) - len(shape)
    old = (*(1,) * max(new, 0), *shape)
    known = [s == -1 and i >= new for i, s in enumerate(sizes)]
    fits = new >= 0 and all(
        k or (s > 0 and o in (1, s)) for k, s, o in zip(known, sizes, old, strict=True)
    )
    if not fits:
        raise Unsupported(f"a tensor {shape} does not fill {sizes}")
    return tuple(o if s == -1 else s for s, o in zip(sizes, old, strict=True))
