"""adaptive_avg_pool2d: the mean of a whole image per channel; in floats also of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import CLAMP, ROUNDED, Call, Constant, Example, Fast, Op, Range, Unsupported
from qflow.emulation.ops import _rescaled
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor, nn

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class AdaptiveAvgPool2d(Op):
    """No attributes where the output has one row and one column.

    Else: size, the rows and columns (None: as many as the operand has); that has no integer form.
    """

    name = "adaptive_avg_pool2d"
    role = "pool"
    modules = ("torch.nn.AdaptiveAvgPool2d",)
    functions = ("torch.nn.functional.adaptive_avg_pool2d",)
    fields = CLAMP
    image = True
    within = ROUNDED
    examples = (
        Example(
            ((2, 3, 4, 5),), written=("F.adaptive_avg_pool2d(x, 1)", "nn.AdaptiveAvgPool2d(1)")
        ),
        Example(((1, 5, 7, 7),), written=("F.adaptive_avg_pool2d(x, (1, 1))",)),
    )
    float_examples = (
        Example(
            ((2, 3, 4, 5),),
            {"size": (2, None)},
            written=("F.adaptive_avg_pool2d(x, (2, None))", "nn.AdaptiveAvgPool2d((2, None))"),
        ),
    )

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        m: Any = module
        return _of_size(m.output_size)

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return _of_size(argument(args, kwargs, 1, "output_size", None))

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if not attributes:
            return ""
        return f"output_size = {attributes['size']!r}: only the mean of the whole image, 1"

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import adaptive_avg_pool2d

        return adaptive_avg_pool2d(operands[0], node.attributes.get("size", 1))

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0).shape
        _rescaled.lower(node, build, self.shape({}, [source]), {}, prod(source[2:]))

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        if len(shapes[0]) != 4:
            raise Unsupported(f"it reads a tensor {shapes[0]}: an image batch has four axes")
        return (*shapes[0][:2], 1, 1)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _rescaled.roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return _rescaled.oracle(call, call.centred(0, operands[0]).sum(axis=(2, 3), keepdims=True))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        count = prod(call.sources[0].shape[1:]) // prod(call.node.output.shape[1:])
        bound = _rescaled.reach(call, ranges) * count
        return _rescaled.fast(call, bound, device, lambda x: x.sum((2, 3), keepdim=True))


def _of_size(size: Any) -> Mapping[str, Any]:
    if size in (1, (1, 1), [1, 1]):
        return {}
    sizes = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    if len(sizes) != 2 or not all(s is None or isinstance(s, int) for s in sizes):
        raise Unsupported(f"output_size = {size!r}: it must be one or two whole numbers")
    return {"size": sizes}
