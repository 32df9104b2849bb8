"""avg_pool2d: of CV18xx; where padding is not counted, the mean of the valid taps stands for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Fast, Range, form
from qflow.emulation.ops.avg_pool2d import AvgPool2d as General
from qflow.emulation.own.sophgo_q31 import _pool
from qflow.emulation.sophgo import border

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class AvgPool2d(_pool.Pool, General):
    """Attributes: kernel, stride, padding, skips_padding, low, high."""

    fields = form(
        kernel="pair",
        stride="pair",
        padding="padding",
        skips_padding="flag",
        low="integer",
        high="integer",
    )

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
        _pool.emit(node, build, shape, prod(attributes["kernel"]), attributes)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        total = border.sums(operands[0], a)
        if a["skips_padding"]:
            total = _pool.refilled(total, operands[0].shape, a)
        return self.average(call, total)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        a = call.node.attributes
        bound = max(map(abs, ranges[0])) * prod(a["kernel"])
        add_up = border.fast_sums(a)
        # what stands for the padding rounds away from the sum by a few units at most
        finish = self.fast_average(call, 2 * bound, device)
        if not a["skips_padding"]:
            return Fast(lambda x: finish(add_up(x)), "float32", bound)
        refill = _pool.fast_refilled(call, device)

        def run(x: Tensor) -> Tensor:
            return finish(refill(add_up(x)))

        return Fast(run, "float32", bound)
