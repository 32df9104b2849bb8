"""avg_pool2d: of BM1684; the reciprocal of the window in 8 bits, and a correction at the border."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Fast, Range
from qflow.emulation.ops.avg_pool2d import AvgPool2d as General
from qflow.emulation.own.sophgo_shift8 import _pool
from qflow.emulation.sophgo import border

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class AvgPool2d(_pool.Pool, General):
    """Attributes: kernel, stride, padding, skips_padding, low, high."""

    fields = _pool.FIELDS

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if attributes.get("ceil"):
            return "ceil_mode = True: windows at the edge would have other divisors"
        if "divisor" in attributes:
            return f"divisor_override = {attributes['divisor']}: only the window's size divides"
        return ""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        skips = bool(node.attributes.get("skips_padding", False))
        attributes = {**node.attributes, "skips_padding": skips}
        shape = self.shape(attributes, [build.operand(node, 0).shape])
        _pool.emit(node, build, shape, _pool.window(attributes), attributes)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        total = border.sums(operands[0], call.node.attributes)
        return self.average(call, total, operands[0].shape)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        a = call.node.attributes
        bound = _pool.largest(ranges) * _pool.window(a)
        finish = self.fast_average(call, bound, call.shapes[0], device)
        add_up = border.fast_sums(a)
        return Fast(lambda x: finish(add_up(x)), "float32", bound)
