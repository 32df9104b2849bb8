"""emitted: an ONNX graph that was written, and its inputs and outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qflow.export._onnx.builder import Builder
    from qflow.export._onnx.ports import Port


@dataclass(frozen=True)
class Emitted:
    builder: Builder
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
