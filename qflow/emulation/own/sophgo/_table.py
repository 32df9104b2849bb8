"""Lookup: a function of one value as a table of 256 entries, indexed by the raw byte."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.op import Call, Constant, Fast, Op, Range, form
from qflow.emulation.ops import _table
from qflow.emulation.sophgo.grids import source_scale, target_scale
from qflow.emulation.sophgo.rounding import round_away

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

BYTES = 256


class Lookup(Op):
    """Stands before the general class: what it computes becomes a table, made in float64."""

    integer = True
    fields = form()
    any_layout = True

    def lower(self, node: PreparedNode, build: Builder) -> None:
        settings = node.attributes
        self.emit_table(node, build, node.op, lambda x: np.asarray(self.real(settings, x)))

    def emit_table(
        self,
        node: PreparedNode,
        build: Builder,
        op: str,
        function: Callable[[np.ndarray], np.ndarray],
    ) -> None:
        """Emit a node `op` that reads `function` from a table."""
        source = build.operand(node, 0)
        output = build.output_type(node, source.shape, source.layout)
        bytes_ = np.arange(BYTES, dtype=np.uint8).view(source.dtype).astype(np.float64)
        with np.errstate(all="ignore"):
            real = function(bytes_ * source_scale(node, 0)) / target_scale(node)
        kind = DTYPES[output.dtype]
        table = self.entries(real, kind.qmin, kind.qmax).astype(output.dtype)
        build.emit(node, op, node.inputs, output, {}, {"table": table})

    def entries(self, real: np.ndarray, low: int, high: int) -> np.ndarray:
        """Integers of the results in output steps; what is not finite becomes the smallest one."""
        finite = np.where(np.isfinite(real), real, low)
        return np.clip(round_away(finite), low, high).astype(np.int64)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _table.roles(call)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return _table.values(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return _table.oracle(call, operands[0])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return _table.fast(call, device)
