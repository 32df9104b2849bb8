"""avg_pool2d: the mean of each window, as an integer sum and one rescale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.gemm import reach
from qflow.emulation.op import ROUNDED, Call, Constant, Example, Fast, Op, Range, Unsupported, form
from qflow.emulation.ops import _rescaled
from qflow.emulation.ops._window import (
    argument,
    both_sides,
    pad_image,
    pair,
    pool_shape,
    windows_of,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class AvgPool2d(Op):
    """Attributes: kernel, stride (pairs), padding (top, left, bottom, right)."""

    name = "avg_pool2d"
    role = "pool"
    modules = ("torch.nn.AvgPool2d",)
    functions = ("torch.nn.functional.avg_pool2d",)
    fields = form(
        kernel="pair",
        stride="pair",
        padding="padding",
        low="integer",
        high="integer",
    )
    image = True
    within = ROUNDED
    examples = (
        Example(((2, 3, 8, 7),), {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0)}),
        Example(((1, 2, 9, 9),), {"kernel": (3, 2), "stride": (1, 2), "padding": (1, 1, 1, 1)}),
    )

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        m: Any = module
        return _attributes(
            m.kernel_size,
            m.stride,
            m.padding,
            m.ceil_mode,
            m.count_include_pad,
            m.divisor_override,
        )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        names = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")
        defaults = (None, None, 0, False, True)
        values = [
            argument(args, kwargs, i + 1, n, d)
            for i, (n, d) in enumerate(zip(names, defaults, strict=True))
        ]
        return _attributes(*values, argument(args, kwargs, 6, "divisor_override", None))

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import avg_pool2d

        a = node.attributes
        return avg_pool2d(operands[0], a["kernel"], a["stride"], a["padding"][:2])

    def lower(self, node: PreparedNode, build: Builder) -> None:
        shape = self.shape(node.attributes, [build.operand(node, 0).shape])
        _rescaled.lower(node, build, shape, node.attributes, prod(node.attributes["kernel"]))

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return pool_shape(attributes, shapes[0])

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _rescaled.roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        windows = windows_of(pad_image(operands[0], a["padding"], 0), a["kernel"], a["stride"])
        return _rescaled.oracle(call, windows.sum(axis=(4, 5)))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        from torch.nn.functional import avg_pool2d

        a = call.node.attributes

        def sum_of(x: Tensor) -> Tensor:
            sides = a["padding"][:2]
            return avg_pool2d(x, a["kernel"], a["stride"], sides, divisor_override=1)

        return _rescaled.fast(call, reach(ranges[0]) * prod(a["kernel"]), device, sum_of)


def _attributes(
    kernel: Any, stride: Any, padding: Any, ceil: bool, count_include_pad: bool, divisor: Any
) -> Mapping[str, Any]:
    if ceil:
        raise Unsupported("ceil_mode = True: windows at the edge would have other divisors")
    if divisor is not None:
        raise Unsupported(f"divisor_override = {divisor}: only the size of the window divides")
    sides = both_sides(padding)
    if any(sides) and not count_include_pad:
        raise Unsupported("count_include_pad = False: windows at the edge have other divisors")
    return {
        "kernel": pair(kernel, "kernel_size"),
        "stride": pair(stride or kernel, "stride"),
        "padding": sides,
    }
