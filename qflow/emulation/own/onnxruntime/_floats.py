"""What onnxruntime has no quantized operator for: floats between two quantized tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qflow.emulation.own.tflite._ruled import Ruled
from qflow.emulation.profile import Profile
from qflow.emulation.profiles.onnx_qdq import OnnxQdq


class InFloats(OnnxQdq):
    """`onnx.qdq` as a rule of single operators."""

    def __init__(self, own: tuple[str, ...]) -> None:
        self.own = own  # type: ignore[misc]


class Dequantized(Ruled):
    """`InFloats` whatever the dtype."""

    def rule(
        self,
        profile: Profile,
        reads: tuple[str, ...],
        writes: str,
        attributes: Mapping[str, Any],
    ) -> Profile | None:
        return InFloats(profile.own)
