"""Sided: a multiplier and a shift for what lies above zero, and others for what lies below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import CLAMP, Call, Constant, Fast, Op, Range
from qflow.emulation.own.sophgo_q31._joint import BYTE, LONGEST
from qflow.emulation.sophgo import fast as rounding_in_torch
from qflow.emulation.sophgo.reading import integers, limits
from qflow.emulation.sophgo.rounding import cvms

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Sided(Op):
    """Attributes: low, high. Constants: multiplier, shift of what lies below zero;
    positive_multiplier, positive_shift of the rest."""

    integer = True
    fields = CLAMP

    def emit(
        self,
        node: PreparedNode,
        build: Builder,
        positive: tuple[int, int],
        multiplier: np.ndarray,
        shift: int,
    ) -> None:
        """`multiplier`, one number or one per channel, and `shift` are those below zero."""
        output = build.output_type(node, build.operand(node, 0).shape)
        constants = {
            "multiplier": integers(multiplier),
            "shift": integers(shift),
            "positive_multiplier": integers(positive[0]),
            "positive_shift": integers(positive[1]),
        }
        build.emit(node, node.op, node.inputs, output, limits(node, output), constants)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        shape = call.sources[0].shape
        many = ((1,), (shape[1] if len(shape) > 1 else 1,))
        shift = Constant(("int32",), ((1,),), low=0, high=LONGEST)
        return {
            "multiplier": Constant(("int32",), many, low=BYTE[0], high=BYTE[1]),
            "shift": shift,
            "positive_multiplier": Constant(("int32",), ((1,),), low=BYTE[0], high=BYTE[1]),
            "positive_shift": shift,
        }

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, c, x = call.node.attributes, call.constants, operands[0].astype(np.int64)
        below = cvms(x, _along_channels(call), c["shift"])
        above = cvms(x, c["positive_multiplier"], c["positive_shift"])
        return np.clip(np.where(x < 0, below, above), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a, c, bound = call.node.attributes, call.constants, max(map(abs, ranges[0]))
        above = rounding_in_torch.cvms(c["positive_multiplier"], c["positive_shift"], bound, device)
        slope = _along_channels(call)
        below = rounding_in_torch.cvms(slope, c["shift"], bound, device)

        def run(x: Tensor) -> Tensor:
            return torch.where(x < 0, below(x), above(x)).clamp_(a["low"], a["high"])

        return Fast(run)


def _along_channels(call: Call) -> np.ndarray:
    axes = len(call.sources[0].shape)
    return call.constants["multiplier"].reshape(-1, *(1,) * max(axes - 2, 0))
