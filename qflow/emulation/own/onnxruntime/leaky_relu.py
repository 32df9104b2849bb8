"""leaky_relu: QLinearLeakyRelu, a table made in float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.float_profile import half_even
from qflow.emulation.op import Call, Constant, Fast, Range
from qflow.emulation.ops import _table, leaky_relu
from qflow.emulation.ops._arithmetic import number
from qflow.emulation.own.onnxruntime import _bytes

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class LeakyRelu(leaky_relu.LeakyRelu):
    """`y = half_even(f(float32(s_x * (x - zp_x))) / s_y) + zp_y`, f(v) = v, or slope * v below 0.

    The node has the constant `table`, one entry per byte. Source: QLinearLeakyRelu of onnxruntime,
    measured. int16 is as the profile rescales.
    """

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        if not _bytes.only(source.dtype, node.out_dtype):
            super().lower(node, build)
            return
        output = build.output_type(node, source.shape, source.layout)
        slope = np.float32(number(node.attributes["negative_slope"], "negative_slope"))
        clamp = build.clamp(node, output)
        steps = _table._of_bytes(source.dtype) - source.zero_point
        real = steps.astype(np.float32) * scale(source)
        bent = np.where(real >= 0, real, slope * real)
        entries = half_even(bent / scale(output)) + output.zero_point
        table = np.clip(entries, clamp["low"], clamp["high"]).astype(output.dtype)
        build.emit(node, node.op, node.inputs, output, clamp, {"table": table})

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _table.roles(call) if _bytes.only_in(call) else super().roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        if not _bytes.only_in(call):
            return super().oracle(call, *operands)
        return _table.oracle(call, operands[0])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        if not _bytes.only_in(call):
            return super().fast(call, ranges, device)
        return _table.fast(call, device)
