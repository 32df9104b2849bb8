"""qtable: the quantization table: `name MODE` for what the plan leaves in float."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qflow.export._tpu_mlir.calls import Called

HEAD = "# written by qflow\n# op_name quantize_mode\n"
FLOAT = "F32"
"""What the compiler makes BF16 of where its TPU has no other float."""


def render(calls: Iterable[Called]) -> str:
    return HEAD + "".join(f"{c.row} {FLOAT}\n" for c in calls if c.grid is None)
