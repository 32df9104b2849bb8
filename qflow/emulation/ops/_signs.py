"""What neg and abs share: integers whose sign changes, and one rescale; the ends saturate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import CLAMP, ROUNDED, Call, Constant, Fast, Op, Range
from qflow.emulation.ops import _rescaled
from qflow.emulation.ops._unary import Unary

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Signs(Unary):
    role = "elementwise"
    fields = CLAMP
    within = ROUNDED

    def change(self, x: Any) -> Any:
        """Of integers, in NumPy or torch: wide ones, so that the lowest has an opposite."""
        raise NotImplementedError

    def lower(self, node: PreparedNode, build: Builder) -> None:
        _rescaled.lower(node, build, build.operand(node, 0).shape, {})

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _rescaled.roles(call)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return Op.values(self, call, ranges)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return _rescaled.oracle(call, self.change(call.centred(0, operands[0])))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return _rescaled.fast_each(call, _rescaled.reach(call, ranges), device, self.change)
