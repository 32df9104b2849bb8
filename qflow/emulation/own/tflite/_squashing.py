"""What sigmoid and tanh of TFLite share: a grid of their own, a table, at int16 a fixed formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.builder import Builder, scale
from qflow.emulation.graph import TensorType
from qflow.emulation.op import Call, Constant, Fast, Range, Unsupported
from qflow.emulation.ops import _table
from qflow.emulation.ops._unary import Unary
from qflow.emulation.own.tflite import _lookup, _pinned, _words

if TYPE_CHECKING:
    from qflow.quantization.prepared import PreparedNode

LOWEST, LARGEST = -(1 << 15), (1 << 15) - 1


class Squashing(Unary):
    """int8: 256 entries on the operator's grid. int16: `words`, in 2^-15; no constants.

    Where the model has another grid, a rescale follows.
    """

    grid: ClassVar[tuple[float, int]]
    """Scale and zero point of the int8 output."""
    rounding: ClassVar[str] = "half_away"
    """How entries of int8 are rounded."""

    def words(self, values: np.ndarray, step: float) -> np.ndarray:
        """int64 to int64, in 2^-15, not clamped."""
        raise NotImplementedError

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        output = build.output_type(node, source.shape, source.layout)
        if source.dtype == "uint8":
            raise Unsupported("TFLite has no such table of uint8")
        own, constants = self._own(output, source.dtype), {}
        if source.dtype == "int8":
            target = scale(own)[0], own.zero_point
            ends = (scale(source)[0], source.zero_point), target, self.rounding
            constants["table"] = _lookup.of_bytes(lambda x: self.real({}, x), *ends)
        elif source.zero_point != 0:
            raise Unsupported("TFLite has no zero points at int16")
        _pinned.emit(node, build, output, own, {}, constants, clamped=False)

    def _own(self, output: TensorType, dtype: str) -> TensorType:
        step, zero = self.grid if dtype == "int8" else (2.0**-15, 0)
        return replace(output, dtype=dtype, scale=np.array([step], np.float32), zero_point=zero)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return {} if call.sources[0].dtype == "int16" else _table.roles(call)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        if call.sources[0].dtype == "int16":
            return LOWEST, LARGEST
        return _table.values(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        if call.sources[0].dtype != "int16":
            return _table.oracle(call, operands[0])
        found = self.words(operands[0].astype(np.int64), float(scale(call.sources[0])[0]))
        return np.clip(found, LOWEST, LARGEST)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        if call.sources[0].dtype != "int16":
            return _table.fast(call, device)
        return _words.fast(lambda q: self.oracle(call, q), device)
