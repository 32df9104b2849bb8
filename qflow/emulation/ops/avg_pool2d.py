"""avg_pool2d: the mean of each window, as an integer sum and one rescale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import ROUNDED, Call, Constant, Example, Fast, Op, Range, Unsupported, form
from qflow.emulation.ops import _averages, _rescaled
from qflow.emulation.ops._window import (
    Padding,
    argument,
    both_sides,
    ceil_padding,
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

    Where the divisor is not the size of the window: ceil, skips_padding, divisor. In integers
    the padding holds what `ceil` adds, and the rescale divides: per row and column where windows
    differ in what they count.
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
        Example(
            ((1, 2, 5, 6),),
            {"kernel": (3, 2), "stride": (2, 2), "padding": (1, 1, 1, 1), "ceil": True},
            written=("F.avg_pool2d(x, (3, 2), 2, 1, True)",),
        ),
        Example(
            ((2, 2, 6, 5),),
            {
                "kernel": (2, 3),
                "stride": (2, 3),
                "padding": (0, 1, 0, 1),
                "ceil": True,
                "skips_padding": True,
            },
            written=("nn.AvgPool2d((2, 3), None, (0, 1), True, False)",),
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

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        image = pad_image(operands[0], _padding(attributes, operands[0].shape), 0)
        sums = windows_of(image, attributes["kernel"], attributes["stride"]).sum(axis=(4, 5))
        return sums / counts(attributes, operands[0].shape)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        given, source = node.attributes, build.operand(node, 0).shape
        attributes = {
            "kernel": given["kernel"],
            "stride": given["stride"],
            "padding": _padding(given, source),
        }
        shape = self.shape(attributes, [source])
        terms = prod(given["kernel"])
        _averages.lower(node, build, shape, attributes, counts(given, source), terms)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return pool_shape(attributes, shapes[0])

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _averages.roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        image = pad_image(call.centred(0, operands[0]), a["padding"], 0)
        windows = windows_of(image, a["kernel"], a["stride"])
        return _rescaled.oracle(call, windows.sum(axis=(4, 5)))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        from torch.nn.functional import avg_pool2d, pad

        a = call.node.attributes
        top, left, bottom, right = a["padding"]

        def sum_of(x: Tensor) -> Tensor:
            if (top, left) == (bottom, right):
                return avg_pool2d(x, a["kernel"], a["stride"], (top, left), divisor_override=1)
            padded = pad(x, (left, right, top, bottom))
            return avg_pool2d(padded, a["kernel"], a["stride"], divisor_override=1)

        return _rescaled.fast(
            call, _rescaled.reach(call, ranges) * prod(a["kernel"]), device, sum_of
        )


def counts(attributes: Mapping[str, Any], shape: tuple[int, ...]) -> np.ndarray:
    """What divides the sum of each window, int64 [rows, columns].

    A window counts the padding given, and nothing beyond it that `ceil` adds.
    """
    padding = _padding(attributes, shape)
    lengths = []
    for axis in range(2):
        kernel, stride = attributes["kernel"][axis], attributes["stride"][axis]
        size, side = shape[2 + axis], attributes["padding"][axis]
        reach = size + padding[axis] + padding[2 + axis]
        first = np.arange((reach - kernel) // stride + 1) * stride - padding[axis]
        if attributes.get("skips_padding"):
            side = 0
        lengths.append(np.minimum(first + kernel, size + side) - np.maximum(first, -side))
    found = lengths[0][:, None] * lengths[1][None, :]
    return np.full_like(found, attributes["divisor"]) if "divisor" in attributes else found


def _padding(attributes: Mapping[str, Any], shape: tuple[int, ...]) -> Padding:
    """The padding with what `ceil` adds."""
    if len(shape) != 4:
        raise Unsupported(f"it reads a tensor {shape}: an image batch has four axes")
    given: Padding = attributes["padding"]
    if not attributes.get("ceil"):
        return given
    return ceil_padding({**attributes, "dilation": (1, 1)}, shape)


def _attributes(
    kernel: Any, stride: Any, padding: Any, ceil: bool, count_include_pad: bool, divisor: Any
) -> Mapping[str, Any]:
    if divisor is not None and not (isinstance(divisor, int) and divisor > 0):
        raise Unsupported(f"divisor_override = {divisor!r}: it must be a whole number from 1")
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
