"""adaptive_avg_pool2d: the mean of a whole image per channel, or of so many parts of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import ROUNDED, Call, Constant, Example, Fast, Op, Range, Unsupported, form
from qflow.emulation.ops import _averages, _rescaled
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor, nn

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

MOST_PARTS = 1 << 14


class AdaptiveAvgPool2d(Op):
    """No attributes where the output has one row and one column.

    Else: size, the rows and columns (None: as many as the operand has). Part i of n covers the rows
    from floor(i * rows / n) to ceil((i + 1) * rows / n): parts overlap where they do not fit.
    """

    name = "adaptive_avg_pool2d"
    role = "pool"
    modules = ("torch.nn.AdaptiveAvgPool2d",)
    functions = ("torch.nn.functional.adaptive_avg_pool2d",)
    fields = form(size="pair", low="integer", high="integer")
    image = True
    within = ROUNDED
    examples = (
        Example(
            ((2, 3, 4, 5),), written=("F.adaptive_avg_pool2d(x, 1)", "nn.AdaptiveAvgPool2d(1)")
        ),
        Example(((1, 5, 7, 7),), written=("F.adaptive_avg_pool2d(x, (1, 1))",)),
        Example(
            ((2, 3, 4, 5),),
            {"size": (2, None)},
            written=("F.adaptive_avg_pool2d(x, (2, None))", "nn.AdaptiveAvgPool2d((2, None))"),
        ),
        Example(((2, 3, 7, 5),), {"size": (3, 3)}, written=("F.adaptive_avg_pool2d(x, 3)",)),
        Example(((1, 2, 3, 4),), {"size": (5, 2)}, written=("nn.AdaptiveAvgPool2d((5, 2))",)),
    )

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        m: Any = module
        return _of_size(m.output_size)

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return _of_size(argument(args, kwargs, 1, "output_size", None))

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import adaptive_avg_pool2d

        return adaptive_avg_pool2d(operands[0], node.attributes.get("size", 1))

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        rows, columns = _parts(_size(attributes, operands[0].shape), operands[0].shape)
        return _sums(operands[0], rows, columns) / _counts(rows, columns)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0).shape
        attributes = {"size": _size(node.attributes, source)}
        counts = _counts(*_parts(attributes["size"], source))
        shape = self.shape(attributes, [source])
        _averages.lower(node, build, shape, attributes, counts, int(counts.max()))

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return (*shapes[0][:2], *_size(attributes, shapes[0]))

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _averages.roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        image = call.centred(0, operands[0])
        return _rescaled.oracle(call, _sums(image, *_parts(_size_of(call), image.shape)))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        source = call.sources[0]
        image = _nchw(source.shape) if source.layout == "nhwc" else source.shape
        rows, columns = _parts(_size_of(call), image)
        bound = _rescaled.reach(call, ranges) * int(_counts(rows, columns).max())
        if len(rows) == len(columns) == 1:
            return _rescaled.fast(call, bound, device, lambda x: x.sum((2, 3), keepdim=True))
        # two products with zeros and ones: exact, as every sum of a part is
        down, across = (
            torch.from_numpy(_members(parts, size)).to(device)
            for parts, size in ((rows, image[2]), (columns, image[3]))
        )
        return _rescaled.fast(
            call, bound, device, lambda x: down.to(x.dtype) @ x @ across.to(x.dtype).T
        )


Part = tuple[int, int]
"""First row of a part, and the one behind its last."""


def _size_of(call: Call) -> tuple[int, int]:
    size: tuple[int, int] = call.node.attributes["size"]
    return size


def _size(attributes: Mapping[str, Any], shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) != 4:
        raise Unsupported(f"it reads a tensor {shape}: an image batch has four axes")
    rows, columns = attributes.get("size", (1, 1))
    size = (rows or shape[2]), (columns or shape[3])
    if max(size) > MOST_PARTS:
        raise Unsupported(f"it makes {size} parts: at most {MOST_PARTS} per axis")
    return size


def _parts(size: tuple[int, int], shape: tuple[int, ...]) -> tuple[list[Part], list[Part]]:
    rows, columns = (
        [(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]
        for count, length in zip(size, shape[2:], strict=True)
    )
    return rows, columns


def _counts(rows: Sequence[Part], columns: Sequence[Part]) -> np.ndarray:
    """Values per part, int64 [rows, columns]."""
    return np.array([[(b - a) * (d - c) for c, d in columns] for a, b in rows], np.int64)


def _sums(image: np.ndarray, rows: Sequence[Part], columns: Sequence[Part]) -> np.ndarray:
    strips = np.stack([image[:, :, a:b].sum(axis=2) for a, b in rows], axis=2)
    return np.stack([strips[:, :, :, c:d].sum(axis=3) for c, d in columns], axis=3)


def _members(parts: Sequence[Part], length: int) -> np.ndarray:
    """float32 [parts, length]: 1 where a row belongs to the part."""
    place = np.arange(length)
    return np.stack([(a <= place) & (place < b) for a, b in parts]).astype(np.float32)


def _nchw(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[0], shape[3], shape[1], shape[2]


def _of_size(size: Any) -> Mapping[str, Any]:
    if size in (1, (1, 1), [1, 1]):
        return {}
    sizes = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    if len(sizes) != 2 or not all(s is None or isinstance(s, int) for s in sizes):
        raise Unsupported(f"output_size = {size!r}: it must be one or two whole numbers")
    return {"size": sizes}
