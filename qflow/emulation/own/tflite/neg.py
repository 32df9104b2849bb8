"""neg: NEG turns the integers themselves, and with them the zero point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.builder import Builder
from qflow.emulation.op import Call, Constant, Fast, FieldKind, Range, Unsupported, form
from qflow.emulation.ops import neg
from qflow.emulation.own.tflite import _pinned

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Neg(neg.Neg):
    """`y = -q`, and the lowest integer, which has no opposite, stays what it is.

    The output has the input's scale and the opposite of its zero point; where the model has another
    grid, a rescale follows. Source: measured on NEG under every resolver of LiteRT, which looks at
    neither scales nor zero points.
    """

    fields: ClassVar[Mapping[str, FieldKind]] = form()

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        if source.dtype == "uint8":
            raise Unsupported("TFLite has no opposite of uint8")
        if -source.zero_point > DTYPES[source.dtype].qmax:
            raise Unsupported(f"a zero point of {source.zero_point} has no opposite")
        output = build.output_type(node, source.shape, source.layout)
        turned = replace(
            output, dtype=source.dtype, scale=source.scale, zero_point=-source.zero_point
        )
        _pinned.emit(node, build, output, turned, {}, clamped=False)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return {}

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        dtype = DTYPES[call.sources[0].dtype]
        return dtype.qmin, dtype.qmax

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        x, lowest = operands[0].astype(np.int64), DTYPES[call.sources[0].dtype].qmin
        return np.where(x == lowest, lowest, -x)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        lowest = DTYPES[call.sources[0].dtype].qmin

        def run(x: Tensor) -> Tensor:
            turned = -x.float()
            return turned.masked_fill_(turned == -lowest, lowest)

        return Fast(run)
