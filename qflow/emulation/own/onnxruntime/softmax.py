"""softmax: QLinearSoftmax, exponents from a table of floats and one division."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.float_profile import half_even
from qflow.emulation.op import Call, Constant, Fast, Range
from qflow.emulation.ops import softmax
from qflow.emulation.own.onnxruntime import _bytes

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

ENTRIES = 256
LARGEST = np.finfo(np.float32).max
HIGHEST, MOST = 1 << 121, 1 << 24
"""Bounds of exponents, which stay below the largest float32 over e^5, and of 1 / s_y."""
LEAST = np.float32(2.0**-126)
"""A sum of 0 is in damaged files only."""
RESERVED = 5.0
"""What the logarithm of the largest sum stays below that of the largest float32."""


class Softmax(softmax.Softmax):
    """`y = half_even(float32(float32(e * k) / sum)) + zp_y`, of bytes.

    e = table[255 - distance to the largest], k = floor(1 / s_y), and the sum is that of the row in
    float32, one after the other. table[i] = float32(exp((i - 255 + b) * s_x)), b = (ln(largest
    float32 / length) - 5) / s_x. Source: QLinearSoftmax of onnxruntime, measured; results above
    the largest integer wrap around there, and saturate here. int16 is as the general operator.
    """

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        super().lower(node, build)
        if not _bytes.only(source.dtype, node.out_dtype):
            return
        made = build.nodes.pop()
        for key in made.constants.values():
            del build.constants[key]
        length = source.shape[made.attributes["dim"]]
        constants = {
            "exponents": table(float(scale(source)[0]), length),
            "factor": np.minimum(np.floor(np.float32(1) / scale(made.output)), np.float32(MOST)),
        }
        build.emit(node, node.op, node.inputs, made.output, made.attributes, constants)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        if not _bytes.only_in(call):
            return super().roles(call)
        return {
            "exponents": Constant(("float32",), ((ENTRIES,),), low=0, high=HIGHEST),
            "factor": Constant(("float32",), ((1,),), low=0, high=MOST),
        }

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        if not _bytes.only_in(call):
            return super().oracle(call, *operands)
        a, x = call.node.attributes, operands[0].astype(np.int64)
        place = ENTRIES - 1 - (x.max(a["dim"], keepdims=True) - x)
        exponents = np.moveaxis(call.constants["exponents"][place], a["dim"], 0)
        total = np.zeros(exponents.shape[1:], np.float32)
        for part in exponents:
            total = total + part
        with np.errstate(over="ignore"):  # infinity is the largest integer
            real = exponents * call.constants["factor"] / np.maximum(total, LEAST)
        shares = half_even(real) + call.zero_point
        return np.clip(np.moveaxis(shares, 0, a["dim"]), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        if not _bytes.only_in(call):
            return super().fast(call, ranges, device)
        import torch

        a, zero = call.node.attributes, call.zero_point
        entries, factor = (
            torch.from_numpy(call.constants[r].copy()).to(device) for r in ("exponents", "factor")
        )

        def run(x: Tensor) -> Tensor:
            whole = x.int()
            place = ENTRIES - 1 - (whole.amax(a["dim"], keepdim=True) - whole)
            found = entries.index_select(0, place.reshape(-1)).reshape(place.shape)
            parts = found.unbind(a["dim"])
            total = torch.zeros_like(parts[0])
            for part in parts:
                total = total + part
            shares = (found * factor) / total.clamp_(min=float(LEAST)).unsqueeze(a["dim"])
            return shares.round_().add_(zero).clamp_(a["low"], a["high"])

        return Fast(run)


def table(step: float, length: int) -> np.ndarray:
    """float32 [256] of the formula above, in float64 but for the logarithm."""
    logarithm = float(np.log(LARGEST / np.float32(length)))
    bits = max(0.0, logarithm - RESERVED) / step
    return np.exp((np.arange(ENTRIES) - 255 + bits) * step).astype(np.float32)
