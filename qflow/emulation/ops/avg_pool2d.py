"""avg_pool2d: the mean of each window, as an integer sum and one rescale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

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
    """Attributes: kernel, stride (pairs), padding (top, left, bottom, right).

    Where the divisor is not the size of the window: ceil, skips_padding, divisor; these have no
    integer form.
    """

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
    float_examples = (
        Example(
            ((2, 3, 8, 7),),
            {"kernel": (3, 3), "stride": (2, 2), "padding": (1, 1, 1, 1), "skips_padding": True},
            written=("F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)",),
        ),
        Example(
            ((2, 3, 8, 7),),
            {
                "kernel": (3, 3),
                "stride": (3, 3),
                "padding": (0, 0, 0, 0),
                "ceil": True,
                "divisor": 2,
            },
            written=("nn.AvgPool2d(3, ceil_mode=True, divisor_override=2)",),
        ),
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
        counts, divisor = not a.get("skips_padding", False), a.get("divisor")
        sides, ceil = a["padding"][:2], a.get("ceil", False)
        return avg_pool2d(operands[0], a["kernel"], a["stride"], sides, ceil, counts, divisor)

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if attributes.get("ceil"):
            return "ceil_mode = True: windows at the edge would have other divisors"
        if "divisor" in attributes:
            found = attributes["divisor"]
            return f"divisor_override = {found}: only the size of the window divides"
        if attributes.get("skips_padding"):
            return "count_include_pad = False: windows at the edge have other divisors"
        return ""

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
        image = pad_image(call.centred(0, operands[0]), a["padding"], 0)
        windows = windows_of(image, a["kernel"], a["stride"])
        return _rescaled.oracle(call, windows.sum(axis=(4, 5)))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        from torch.nn.functional import avg_pool2d

        a = call.node.attributes

        def sum_of(x: Tensor) -> Tensor:
            sides = a["padding"][:2]
            return avg_pool2d(x, a["kernel"], a["stride"], sides, divisor_override=1)

        return _rescaled.fast(
            call, _rescaled.reach(call, ranges) * prod(a["kernel"]), device, sum_of
        )


def _attributes(
    kernel: Any, stride: Any, padding: Any, ceil: bool, count_include_pad: bool, divisor: Any
) -> Mapping[str, Any]:
    if divisor is not None and not isinstance(divisor, int):
        raise Unsupported(f"divisor_override = {divisor!r}: it must be a whole number")
    sides = both_sides(padding)
    attributes: dict[str, Any] = {
        "kernel": pair(kernel, "kernel_size"),
        "stride": pair(stride or kernel, "stride"),
        "padding": sides,
    }
    if ceil:
        attributes["ceil"] = True
    if any(sides) and not count_include_pad:
        attributes["skips_padding"] = True
    if divisor is not None:
        attributes["divisor"] = divisor
    return attributes
