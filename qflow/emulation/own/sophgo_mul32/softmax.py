"""softmax: along axis 1, from a table of float32 exponentials summed in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.builder import scale
from qflow.emulation.op import Call, Constant, Fast, Range, form
from qflow.emulation.ops import softmax as general
from qflow.emulation.sophgo.grids import source_scale
from qflow.emulation.sophgo.rounding import half_up, round_away

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

BYTES, AXIS, MOST_AXES = 256, 1, 4


class Softmax(general.Softmax):
    """Attributes: low, high. The rule itself is in float32.

    e = table[max - x], the sum of e in index order, p = e / float32(sum * S) with S the output's
    scale, floor(p + 0.5); away from zero where the output is signed.
    """

    fields = form(low="integer", high="integer")

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        rank = len(shapes[0])
        if attributes["dim"] % rank == AXIS and rank <= MOST_AXES:
            return ""
        return "only along axis 1 of at most 4 is it integer on this target"

    def lower(self, node: PreparedNode, build: Builder) -> None:
        output = build.output_type(node, build.operand(node, 0).shape)
        places = np.arange(BYTES, dtype=np.float64)
        table = np.exp(-source_scale(node, 0) * places).astype(np.float32)
        kind = DTYPES[output.dtype]
        attributes = {"low": kind.qmin, "high": kind.qmax}
        build.emit(node, "softmax", node.inputs, output, attributes, {"table": table})

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return tuple(shapes[0])

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return {"table": Constant(("float32",), ((BYTES,),), low=0, high=1)}

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return call.node.attributes["low"], call.node.attributes["high"]

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, x = call.node.attributes, operands[0].astype(np.int64)
        parts = call.constants["table"][x.max(axis=AXIS, keepdims=True) - x]
        total = np.zeros_like(parts[:, 0])
        for place in range(parts.shape[AXIS]):
            total = total + parts[:, place]
        step = np.float64(scale(call.node.output)[0])
        divisor = (total.astype(np.float64) * step).astype(np.float32)[:, None]
        with np.errstate(all="ignore"):  # a table without its 1 divides by 0
            real = np.nan_to_num(parts / divisor, nan=0.0)
        rounded = round_away(real) if a["low"] < 0 else half_up(real)
        return np.clip(rounded, a["low"], a["high"]).astype(np.int64)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a = call.node.attributes
        table = torch.from_numpy(call.constants["table"].copy()).to(device)
        step = float(scale(call.node.output)[0])

        def run(x: Tensor) -> Tensor:
            whole = x.long()
            parts = table[whole.amax(AXIS, keepdim=True) - whole]
            total = torch.zeros_like(parts[:, 0])
            for place in range(parts.shape[AXIS]):
                total = total + parts[:, place]
            divisor = (total.double() * step).float().unsqueeze(AXIS)
            real = (parts / divisor).nan_to_num(nan=0.0).double()
            # nothing is below 0: up is away from zero
            return real.add_(0.5).floor_().clamp_(a["low"], a["high"]).float()

        return Fast(run)
