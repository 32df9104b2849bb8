"""batch_norm: a factor and an offset per channel, which BM1684 computes in 16 bits.

The half of the rounding is part of the offset, and the shift drops the bits:
`sat((sat16(x * m + k)) >> r)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import CLAMP, Call, Constant, Fast, Range
from qflow.emulation.ops.batch_norm import BatchNorm as General
from qflow.emulation.sophgo import shift8
from qflow.emulation.sophgo.grids import target_scale
from qflow.emulation.sophgo.reading import finite, integers, limits, required, source_scale
from qflow.emulation.sophgo.rescale import multiplier_and_shift
from qflow.emulation.sophgo.rounding import shift_right
from qflow.emulation.sophgo.shift8 import INT16

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class BatchNorm(General):
    """Attributes: low, high."""

    integer = True
    fields = CLAMP

    def lower(self, node: PreparedNode, build: Builder) -> None:
        factor = required(node.weight, "weight").reshape(-1)
        bias = finite(node.bias, "bias")
        offset = np.zeros_like(factor) if bias is None else bias.reshape(-1)
        made = shift8.affine(factor, offset, source_scale(node, 0), target_scale(node))
        output = build.output_type(node, build.operand(node, 0).shape)
        constants = {
            "multiplier": integers(made.factor),
            "bias": integers(made.bias),
            "shift": integers(made.shift),
        }
        build.emit(node, "batch_norm", node.inputs, output, limits(node, output), constants)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return tuple(shapes[0])

    def roles(self, call: Call) -> Mapping[str, Constant]:
        channels = ((call.node.output.shape[1],),)
        offset = Constant(("int32",), channels, low=INT16[0], high=INT16[1])
        return {**multiplier_and_shift(shapes=channels), "bias": offset}

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        multiplier, offset, shift = _shaped(call)
        total = np.clip(operands[0].astype(np.int64) * multiplier + offset, *INT16)
        return np.clip(shift_right(total, shift, "floor"), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a = call.node.attributes
        multiplier, offset, shift = _shaped(call)
        factor, added, step = (
            torch.from_numpy(v.astype(np.float32)).to(device)
            for v in (multiplier, offset, np.ldexp(1.0, -shift))
        )

        def run(x: Tensor) -> Tensor:
            # 16 bits and a power of two: float32 holds all of it
            total = (x.float() * factor).add_(added).clamp_(*INT16)
            return total.mul_(step).floor_().clamp_(a["low"], a["high"])

        return Fast(run)


def _shaped(call: Call) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    view = (1, -1) + (1,) * (len(call.node.output.shape) - 2)
    multiplier, offset, shift = (
        call.constants[k].astype(np.int64).reshape(view) for k in ("multiplier", "bias", "shift")
    )
    return multiplier, offset, shift
