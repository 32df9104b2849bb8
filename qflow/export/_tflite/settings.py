"""settings: what an `export tflite` block says, as a frozen value with its defaults filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qflow.plan.plan import ExportPlan

SUFFIX = ".tflite"
RESOLVERS: Mapping[str, str] = {
    "reference": "tflite.reference",
    "builtin": "tflite.builtin",
    "xnnpack": "xnnpack",
}
"""LiteRT's resolver by the word of the language, and the profile that states its arithmetic."""
BATCH = 1
LARGEST_BATCH = 4096
NCHW, NHWC = "nchw", "nhwc"
FLOAT32 = "float32"


@dataclass(frozen=True)
class Settings:
    resolver: str
    """Empty: that of the plan's profile."""
    batch: int
    layout: Mapping[str, str]
    dtype: Mapping[str, str]
    floats: bool

    def layout_of(self, port: str) -> str:
        return self.layout.get(port, NHWC)

    def dtype_of(self, port: str) -> str:
        """Empty: its own integer type."""
        return self.dtype.get(port, "")

    def profile(self, own: str) -> str:
        """The profile of the resolver, or `own`."""
        return RESOLVERS.get(self.resolver, own)


def read(export: ExportPlan) -> Settings:
    """The settings of a plan whose types the compiler has checked."""
    given: dict[str, Any] = dict(export.settings)
    return Settings(
        resolver=given.get("resolver", ""),
        batch=given.get("batch", BATCH),
        layout=dict(given.get("layout") or ()),
        dtype=dict(given.get("dtype") or ()),
        floats=bool(given.get("floats", False)),
    )
