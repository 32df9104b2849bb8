"""What functions of int8 share that TFLite computes in fixed point: a table has the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.builder import Builder, scale
from qflow.emulation.op import Unsupported
from qflow.emulation.ops._unary import Unary

if TYPE_CHECKING:
    from qflow.quantization.prepared import PreparedNode


class Bytes(Unary):
    """The node is the general one of int8: 256 entries, indexed by the byte."""

    def integers(self, centred: np.ndarray, source: np.float32, target: np.float32) -> np.ndarray:
        """int64 to int64, from scale to scale, both without zero points, not clamped."""
        raise NotImplementedError

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        output = build.output_type(node, source.shape, source.layout)
        if (source.dtype, output.dtype) != ("int8", "int8"):
            raise Unsupported(f"from {source.dtype} to {output.dtype}: TFLite has it at int8 only")
        values = np.arange(256, dtype=np.uint8).view(np.int8).astype(np.int64) - source.zero_point
        found = self.integers(values, scale(source)[0], scale(output)[0]) + output.zero_point
        table = np.clip(found, -128, 127).astype(np.int8)
        build.emit(node, node.op, node.inputs, output, {}, {"table": table})
