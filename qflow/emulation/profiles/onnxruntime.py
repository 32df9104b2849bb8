"""onnxruntime: float32 accumulator times one float32 ratio, half to even."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.float_profile import FloatProfile, half_even
from qflow.emulation.profile import Constants, Limits, Ratio, Use, product32

if TYPE_CHECKING:
    from qflow.emulation.graph import TensorType
    from qflow.emulation.profile import Unary


class Onnxruntime(FloatProfile):
    """`y = half_even(float32(acc) * ratio)`, ratio = float32(float32(s_x * s_w) / s_y).

    Constant: `ratio`, float32. Source: onnxruntime QLinearConv and QLinearMatMul on a CPU (MLAS),
    measured. Sums, also a fused residual, are float32 sums of dequantized values, as in
    `onnx.qdq`: onnxruntime has no quantized kernel for a convolution that adds before it rescales.
    For averages ratio = float32(s_x / float32(s_y * count)): QLinearGlobalAveragePool, measured on
    near ties; the other orders of these operations differ. Operators with rules of their own are
    in `own/onnxruntime`, else `own/onnx_qdq`; a tensor comes onto another grid by the rule of
    `onnx.qdq`.
    """

    name = "onnxruntime"
    own = ("onnxruntime", "onnx_qdq")

    def roles(self, use: Use) -> Mapping[str, str]:
        return {"ratio": "float32"} if use == "rescale" else super().roles(use)

    def rescale_constants(self, ratio: Ratio) -> dict[str, np.ndarray]:
        count = np.float32(ratio.count)
        value = product32(*ratio.source, np.float32(ratio.factor)) / (ratio.target_scale * count)
        return {"ratio": np.atleast_1d(value).astype(np.float32)}

    def requantize_constants(self, source: TensorType, target: TensorType) -> dict[str, np.ndarray]:
        from qflow.emulation.own.onnxruntime._floats import InFloats

        return InFloats(self.own).requantize_constants(source, target)

    def rescale(self, values: np.ndarray, constants: Constants) -> np.ndarray:
        with np.errstate(over="ignore"):  # a product beyond float32 is infinite, and clamped
            return half_even(values.astype(np.float32) * constants["ratio"])

    def fast_rescale(self, constants: Constants, limits: Limits, device: Any) -> Unary:
        import torch

        ratio = torch.from_numpy(constants["ratio"]).to(device)
        return lambda acc: (acc.float() * ratio).round_().clamp_(limits.low, limits.high)
