"""prelu: x above zero, RSR(x*slope, r) below, slopes of 8 bits with one shift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.builder import NotFinite
from qflow.emulation.op import CLAMP, Call, Constant, Fast, Range, Unsupported
from qflow.emulation.ops import prelu as general
from qflow.emulation.own.sophgo._operands import reach
from qflow.emulation.profile import Limits
from qflow.emulation.sophgo.rescale import fast_rescale, multiplier_and_shift, rescaled
from qflow.emulation.sophgo.rounding import saturate
from qflow.emulation.sophgo.search import trunc8

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

NEVER_TRAINED = 0.25


class Prelu(general.Prelu):
    """Attributes: low, high. Constants: slope, one per channel, as multiplier; one shift."""

    integer = True
    fields = CLAMP
    keeps_type = True

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        output = build.output_type(node, source.shape)
        slope = np.array([NEVER_TRAINED], np.float32) if node.weight is None else node.weight
        flat = slope.reshape(-1).astype(np.float64)
        if not np.isfinite(flat).all():
            raise NotFinite("its weight is not finite")
        if flat.size not in (1, source.shape[1]):
            raise Unsupported(f"{flat.size} slopes for {source.shape[1]} channels")
        _, shift = trunc8(np.abs(flat).max())
        # towards zero, a negative slope as well
        integers = saturate(np.trunc(np.ldexp(flat, int(shift))), -128, 127)
        kind = DTYPES[output.dtype]
        constants = {
            "multiplier": integers.astype(np.int32),
            "shift": np.atleast_1d(shift).astype(np.int32),
        }
        attributes = {"low": kind.qmin, "high": kind.qmax}
        build.emit(node, "prelu", node.inputs, output, attributes, constants)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        channels = ((call.shapes[0][1],), (1,))
        found = multiplier_and_shift()
        return {**found, "multiplier": multiplier_and_shift(shapes=channels)["multiplier"]}

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, c, x = call.node.attributes, call.constants, operands[0].astype(np.int64)
        slope = c["multiplier"].reshape(-1, *(1,) * (x.ndim - 2))
        below = rescaled(x, slope, c["shift"], "half_up")
        return np.clip(np.where(x >= 0, x, below), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a, c = call.node.attributes, call.constants
        slope = c["multiplier"].reshape(-1, *(1,) * (len(call.shapes[0]) - 2))
        clamp = Limits(reach(ranges[0]), a["low"], a["high"])
        below = fast_rescale(slope, c["shift"], "half_up", clamp, device)

        def run(x: Tensor) -> Tensor:
            real = x.float()
            found = torch.where(real >= 0, real, below(real))
            return found.clamp_(a["low"], a["high"])

        return Fast(run)
