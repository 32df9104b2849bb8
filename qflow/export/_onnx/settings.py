"""settings: what an `export onnx` block says, as a frozen value with its defaults filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qflow.plan.plan import ExportPlan

OPSET = 21
"""The first with int16, and one that the reference implementation of ONNX runs."""
FIRST_OPSET = 13
"""The first whose DequantizeLinear takes a scale per channel."""
LAST_OPSET = 25
FLOAT32 = "float32"
NCHW = "nchw"
NHWC = "nhwc"


@dataclass(frozen=True)
class Settings:
    opset: int
    layout: Mapping[str, str]
    dtype: Mapping[str, str]

    def layout_of(self, port: str) -> str:
        return self.layout.get(port, NCHW)

    def dtype_of(self, port: str) -> str:
        return self.dtype.get(port, FLOAT32)


def read(export: ExportPlan) -> Settings:
    """The settings of a plan whose types the compiler has checked."""
    given: dict[str, Any] = dict(export.settings)
    return Settings(
        opset=given.get("opset", OPSET),
        layout=dict(given.get("layout") or ()),
        dtype=dict(given.get("dtype") or ()),
    )
