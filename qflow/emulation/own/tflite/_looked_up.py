"""What functions of one value share that TFLite reads from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from qflow.emulation.builder import Builder, scale
from qflow.emulation.op import Unsupported
from qflow.emulation.ops._unary import Unary
from qflow.emulation.own.tflite import _lookup

if TYPE_CHECKING:
    from qflow.quantization.prepared import PreparedNode


class LookedUp(Unary):
    """The node is the general one, its table TFLite's: it reads int16 by the same formula."""

    rounding: ClassVar[str] = "half_away"
    """How entries of int8 are rounded."""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        output = build.output_type(node, source.shape, source.layout)
        if source.dtype != output.dtype or source.dtype == "uint8":
            raise Unsupported(f"from {source.dtype} to {output.dtype}: TFLite has no such table")
        step, target = scale(source)[0], scale(output)[0]
        function = lambda x: self.real(node.attributes, x)  # noqa: E731
        if source.dtype == "int16":
            table = _lookup.of_words(function, step, target)
        else:
            ends = (step, source.zero_point), (target, output.zero_point)
            table = _lookup.of_bytes(function, *ends, self.rounding)
        build.emit(node, node.op, node.inputs, output, {}, {"table": table})
