"""onnx.qdq: what the ONNX operators say of a graph that dequantizes and quantizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.float_profile import FloatProfile, half_even
from qflow.emulation.profile import Constants, Limits, Ratio

if TYPE_CHECKING:
    from qflow.emulation.profile import Unary


class OnnxQdq(FloatProfile):
    """`y = half_even((float32(acc) * float32(s_x * s_w)) / s_y)`.

    Constants: `source_scale`, `target_scale`, float32. Source: ONNX DequantizeLinear and
    QuantizeLinear at opset 21 (`(x - zp) * scale`; true division, half to even), measured equal to
    onnxruntime without fusion. Our choice for averages: s_x / count stands for s_x * s_w.
    Products of two tensors have a rule of their own in `own/onnx_qdq`.
    """

    name = "onnx.qdq"
    own = ("onnx_qdq",)

    def rescale_constants(self, ratio: Ratio) -> dict[str, np.ndarray]:
        return {"source_scale": ratio.source_scale, "target_scale": ratio.target_scale}

    def rescale(self, values: np.ndarray, constants: Constants) -> np.ndarray:
        real = values.astype(np.float32) * constants["source_scale"]
        return half_even(real / constants["target_scale"])

    def fast_rescale(self, constants: Constants, limits: Limits, device: Any) -> Unary:
        import torch

        source = torch.from_numpy(constants["source_scale"]).to(device)
        target = torch.from_numpy(constants["target_scale"]).to(device)

        def run(acc: Any) -> Any:
            return (acc.float() * source).div_(target).round_().clamp_(limits.low, limits.high)

        return run
