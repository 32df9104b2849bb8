"""xnnpack: the default delegate of LiteRT, float32 accumulator times one ratio, half to even."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.emulation.profiles.onnxruntime import Onnxruntime

if TYPE_CHECKING:
    import numpy as np

    from qflow.emulation.graph import TensorType


class Xnnpack(Onnxruntime):
    """`y = half_even(float32(acc) * ratio)`, ratio = float32(float32(s_x * s_w) / s_y).

    Source: the `fp32` requantization of XNNPACK's qs8 kernels, measured on LiteRT's default
    resolver on x86-64; as a formula that of `onnxruntime`. What the delegate leaves to the built-in
    kernels, every int16 operator among them, follows `tflite.builtin`; rules of single operators
    are in `own/xnnpack`.
    """

    name = "xnnpack"
    own = ("xnnpack", "tflite_builtin", "tflite")

    def requantize_constants(self, source: TensorType, target: TensorType) -> dict[str, np.ndarray]:
        from qflow.emulation.own.xnnpack.rescale import Rescale

        rule = Rescale().rule(self, (source.dtype,), target.dtype, {})
        assert rule is not None, "every pair of dtypes has a rule"
        return rule.requantize_constants(source, target)
