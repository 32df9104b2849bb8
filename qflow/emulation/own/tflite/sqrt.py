"""sqrt: SQRT, in float32 and rounded down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import Builder, scale
from qflow.emulation.op import Call, Constant, Fast, Range, Unsupported
from qflow.emulation.ops import _table, sqrt
from qflow.emulation.own.tflite import _words
from qflow.emulation.own.tflite._bytes import Bytes

if TYPE_CHECKING:
    from qflow.quantization.prepared import PreparedNode

LOWEST, LARGEST = -(1 << 15), (1 << 15) - 1
BELOW = -(1 << 16)
"""Less than any dtype holds."""


class Sqrt(Bytes, sqrt.Sqrt):
    """`y = floor(sqrt((q - zp_x) * s_x) / s_y) + zp_y`, every step in float32.

    int8: 256 entries; int16, without zero points: the formula, and no constants. Source: measured
    on SQRT under every resolver of LiteRT, which refuses values below 0; the lowest stands here.
    """

    def integers(self, centred: np.ndarray, source: np.float32, target: np.float32) -> np.ndarray:
        real = np.maximum(centred, 0).astype(np.float32) * source
        steps = np.sqrt(real) / target
        found = np.floor(np.minimum(steps, np.float32(1 << 20))).astype(np.int64)
        return np.where(centred < 0, BELOW, found)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        if source.dtype != "int16" or node.out_dtype != "int16":
            super().lower(node, build)
            return
        output = build.output_type(node, source.shape, source.layout)
        if source.zero_point or output.zero_point:
            raise Unsupported("TFLite has no zero points at int16")
        build.emit(node, node.op, node.inputs, output)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return {} if call.sources[0].dtype == "int16" else _table.roles(call)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        wide = call.sources[0].dtype == "int16"
        return (LOWEST, LARGEST) if wide else _table.values(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        if call.sources[0].dtype != "int16":
            return _table.oracle(call, operands[0])
        steps = scale(call.sources[0])[0], scale(call.node.output)[0]
        return np.clip(self.integers(operands[0].astype(np.int64), *steps), LOWEST, LARGEST)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        if call.sources[0].dtype != "int16":
            return _table.fast(call, device)
        return _words.fast(lambda q: self.oracle(call, q), device)
