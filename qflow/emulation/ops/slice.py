"""slice: a part of a tensor: ranges and single places along its axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Unsupported, form
from qflow.emulation.ops._moving import Moving, with_free
from qflow.emulation.ops._sizes import filled
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode

END = (1 << 31) - 1
"""The end of a range that goes to the end, whatever the size is."""
_IMAGE = ((2, 3, 4, 5),)


def _example(
    shape: tuple[int, ...], written: tuple[str, ...], **ranges: tuple[int, ...]
) -> Example:
    return Example(_IMAGE, {**ranges, "shape": shape}, written=written)


class Slice(Moving):
    """Attributes: starts, stops, steps (one per axis of the operand), shape (of the result).

    The shape has no axis for a single place and one of size 1 for a new axis. In integers -1 stands
    for the size that follows the batch.
    """

    name = "slice"
    fields = form(starts="axes", stops="axes", steps="sizes", shape="offsets")
    functions = (
        "operator.getitem",
        "torch.Tensor.__getitem__",
        "torch.select",
        "torch.Tensor.select",
        "torch.narrow",
        "torch.Tensor.narrow",
    )
    examples = (
        _example(
            (2, 3, 2, 2),
            ("x[:, :, 1:3, ::3]", "x[..., 1:-1, ::3]"),
            starts=(0, 0, 1, 0),
            stops=(2, 3, 3, 5),
            steps=(1, 1, 1, 3),
        ),
        _example(
            (2, 4, 5),
            ("x[:, 0]", "x.select(1, 0)", "torch.select(x, -3, 0)", "x[:, -3]"),
            starts=(0, 0, 0, 0),
            stops=(2, 1, 4, 5),
            steps=(1, 1, 1, 1),
        ),
        _example(
            (2, 2, 4, 5),
            ("x.narrow(1, 1, 2)", "torch.narrow(x, dim=1, start=1, length=2)", "x[:, 1:]"),
            starts=(0, 1, 0, 0),
            stops=(2, 3, 4, 5),
            steps=(1, 1, 1, 1),
        ),
        _example(
            (2, 3, 1, 4),
            ("x[:, :, None, :, 2]", "x[:, :, None, ..., 2]"),
            starts=(0, 0, 0, 2),
            stops=(2, 3, 4, 3),
            steps=(1, 1, 1, 1),
        ),
    )

    def attributes_of_function(
        self,
        function: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
    ) -> Mapping[str, Any]:
        if len(shapes) != 1:
            raise Unsupported("a tensor as index: only numbers, ranges, `None` and `...`")
        rank = len(shapes[0])
        if function in ("select", "narrow"):
            dim = argument(args, kwargs, 1, "dim", 0) % rank
            start = argument(args, kwargs, 2, "index" if function == "select" else "start", 0)
            length = argument(args, kwargs, 3, "length", 1)
            place = start if function == "select" else slice(start, start + length)
            return _attributes((*[slice(None)] * dim, place), shapes[0])
        index = args[1] if isinstance(args[1], tuple) else (args[1],)
        return _attributes(index, shapes[0])

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return self.attributes_of_function("getitem", args, kwargs, shapes)

    def settled(
        self, node: PreparedNode, shape: tuple[int, ...], free: tuple[int, ...]
    ) -> Mapping[str, Any]:
        a = node.attributes
        stops = list(a["stops"])
        for axis in free:
            # where the result follows the batch, the batch of the example is no end
            if node.free and stops[axis] == shape[axis]:
                stops[axis] = END
        return {**a, "stops": tuple(stops), "shape": with_free(a["shape"], node)}

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        shape = tuple(shapes[0])
        lengths = {len(attributes[n]) for n in ("starts", "stops", "steps")}
        if lengths != {len(shape)} or 0 in attributes["steps"]:
            raise Unsupported(f"its ranges are not those of a tensor {shape}")
        ranges = zip(_ranges(attributes), shape, strict=True)
        count = prod(len(range(*r.indices(size))) for r, size in ranges)
        return filled(attributes["shape"], count)

    def move(self, attributes: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        return x[_ranges(attributes)].reshape(attributes["shape"])

    def fast_move(self, attributes: Mapping[str, Any], x: Tensor) -> Tensor:
        return x[_ranges(attributes)].reshape(attributes["shape"])


def _ranges(attributes: Mapping[str, Any]) -> tuple[slice, ...]:
    ranges = zip(attributes["starts"], attributes["stops"], attributes["steps"], strict=True)
    return tuple(slice(*r) for r in ranges)


def _attributes(index: Sequence[Any], shape: tuple[int, ...]) -> Mapping[str, Any]:
    """Raises Unsupported for anything but numbers, ranges, None and one `...`."""
    known = (int, slice, type(None), type(...))
    if wrong := [i for i in index if not isinstance(i, known) or isinstance(i, bool)]:
        raise Unsupported(f"{wrong[0]!r} as index: only numbers, ranges, `None` and `...`")
    named = sum(isinstance(i, (int, slice)) for i in index)
    filled: list[Any] = []
    for i in (*index, *(() if ... in index else (...,))):
        filled += [slice(None)] * (len(shape) - named) if i is ... else [i]
    ranges: list[tuple[int, int, int]] = []
    result: list[int] = []
    for i in filled:
        if i is None:
            result.append(1)
            continue
        size = shape[len(ranges)]
        if isinstance(i, slice):
            ranges.append(i.indices(size))
            result.append(len(range(*ranges[-1])))
        else:
            ranges.append((i % size, i % size + 1, 1))
    starts, stops, steps = zip(*ranges, strict=True)
    return {"starts": starts, "stops": stops, "steps": steps, "shape": tuple(result)}
