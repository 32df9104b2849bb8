"""Functions of one value on dequantized bytes: a table, made as float32 computes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.float_profile import half_even
from qflow.emulation.op import Op
from qflow.emulation.ops import _table

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class OnFloats(Op):
    """Comes before the operator's class among the bases.

    `y = half_even(f(float32(s_x * (x - zp_x))) / s_y) + zp_y` with f rounded to float32: a tie goes
    to the even integer before the zero point is added. NaN is the lowest integer, infinities are
    the ends. Source: DequantizeLinear and QuantizeLinear of ONNX. int16 is as the general operator.
    """

    def in_float32(self, settings: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        """float32 to float32; rounded once unless an operator is made of several."""
        found = self.real(settings, x.astype(np.float64))
        assert isinstance(found, np.ndarray), "a function has one result"
        return found.astype(np.float32)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        if source.dtype == "int16":
            super().lower(node, build)
            return
        output = build.output_type(node, source.shape, source.layout)
        clamp = build.clamp(node, output)
        steps = _table._of_bytes(source.dtype) - source.zero_point
        with np.errstate(all="ignore"):
            real = self.in_float32(node.attributes, steps.astype(np.float32) * scale(source))
            quotient = real / scale(output)
        whole = half_even(np.where(np.isnan(quotient), -np.inf, quotient)) + output.zero_point
        table = np.clip(whole, clamp["low"], clamp["high"]).astype(output.dtype)
        build.emit(node, node.op, node.inputs, output, {}, {"table": table})
