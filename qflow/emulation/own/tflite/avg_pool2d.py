"""avg_pool2d: AVERAGE_POOL_2D, the sum divided by the count, half away from zero, on one grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, FieldKind, Range, Unsupported, form
from qflow.emulation.ops import avg_pool2d
from qflow.emulation.ops._window import ceil_padding, pad_image, windows_of
from qflow.emulation.own.tflite import _pinned

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class AvgPool2d(avg_pool2d.AvgPool2d):
    """`y = trunc((sum + sign(sum) * floor(n / 2)) / n)` of the integers with their zero point.

    Attributes: kernel, stride, padding, and whether windows count it: then it holds the zero point,
    as a PAD before the pool, else n is what lies inside the image. The output lies on the grid of
    the input; where the model has another one, a rescale follows. Source: `AveragePool` of TFLite's
    integer kernels, measured under every resolver of LiteRT, none of which gives it to XNNPACK.
    """

    keeps_type = True
    fields: ClassVar[Mapping[str, FieldKind]] = {
        **avg_pool2d.AvgPool2d.fields,
        **form(counts_padding="flag"),
    }

    def lower(self, node: PreparedNode, build: Builder) -> None:
        given, source = node.attributes, build.operand(node, 0)
        ceil, padded = given.get("ceil", False), any(given["padding"])
        skips = given.get("skips_padding", False)
        if "divisor" in given:
            raise Unsupported("divisor_override: TFLite divides by the number of values")
        if ceil and padded and not skips:
            raise Unsupported("ceil_mode with counted padding: TFLite has no such pool")
        padding = given["padding"]
        if ceil:
            padding = ceil_padding({**given, "dilation": (1, 1)}, source.shape)
        attributes = {
            "kernel": given["kernel"],
            "stride": given["stride"],
            "padding": padding,
            "counts_padding": not (skips or ceil),
        }
        output = build.output_type(node, self.shape(attributes, [source.shape]))
        _pinned.emit(node, build, output, source, attributes)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return {}

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        outside = call.zero(0) if a["counts_padding"] else 0
        total = _sums(call, operands[0].astype(np.int64), outside)
        count = _sums(call, np.ones_like(operands[0], np.int64), int(a["counts_padding"]))
        # a window without a value is in damaged files only
        count = np.maximum(count, 1)
        mean = np.sign(total) * ((np.abs(total) + count // 2) // count)
        return np.clip(mean, a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch
        from torch.nn.functional import avg_pool2d, pad

        a = call.node.attributes
        top, left, bottom, right = a["padding"]
        sides = (left, right, top, bottom)
        outside = call.zero(0) if a["counts_padding"] else 0
        area = a["kernel"][0] * a["kernel"][1]

        def summed(image: Tensor, value: int) -> Tensor:
            filled = pad(image, sides, value=value)
            return avg_pool2d(filled, a["kernel"], a["stride"], divisor_override=1)

        def run(x: Tensor) -> Tensor:
            total = summed(x.double(), outside)
            one = torch.ones_like(x[:1, :1], dtype=torch.float64)
            count = summed(one, int(a["counts_padding"])).clamp_(min=1)
            # a quotient of integers below 2^53 is rounded, but not past an integer
            size = total.abs().add_((count * 0.5).floor_()).div_(count).floor_()
            return torch.copysign(size, total).clamp_(a["low"], a["high"]).float()

        return Fast(run, "float64", max(map(abs, ranges[0])) * area)


def _sums(call: Call, image: np.ndarray, outside: int) -> np.ndarray:
    """Of each window, with a value for what lies outside of the image."""
    a = call.node.attributes
    filled = pad_image(image, a["padding"], outside)
    found: np.ndarray = windows_of(filled, a["kernel"], a["stride"]).sum(axis=(4, 5))
    return found
