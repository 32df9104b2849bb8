"""What floor and ceil share: whole numbers of what float32 makes of bytes, in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Call, Constant, Fast, Op, Range
from qflow.emulation.ops import _table
from qflow.emulation.own.onnx_qdq._function import OnFloats

if TYPE_CHECKING:
    import numpy as np

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class WholeOnFloats(OnFloats):
    """Comes before the operator's class among the bases. The node keeps that one's attributes."""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        super(OnFloats, self).lower(node, build)
        if build.operand(node, 0).dtype == "int16":
            return
        general = build.nodes.pop()
        for key in general.constants.values():
            del build.constants[key]
        super().lower(node, build)
        made = build.nodes.pop()
        table = {"table": build.constants.pop(made.constants["table"])}
        build.emit(node, node.op, node.inputs, made.output, general.attributes, table)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _table.roles(call) if _by_table(call) else super().roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        if _by_table(call):
            return _table.oracle(call, operands[0])
        return super().oracle(call, *operands)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return _table.fast(call, device) if _by_table(call) else super().fast(call, ranges, device)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return _table.values(call) if _by_table(call) else Op.values(self, call, ranges)


def _by_table(call: Call) -> bool:
    return "table" in call.constants and call.sources[0].dtype != "int16"
