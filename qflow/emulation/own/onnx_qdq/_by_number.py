"""Products and quotients of dequantized bytes and a number: a table, as those of functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.float_profile import half_even
from qflow.emulation.op import Call
from qflow.emulation.ops import _table

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


def lower(node: PreparedNode, build: Builder, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Emit a node `mul`: `y = half_even(change(float32(s_x * (x - zp_x))) / s_y) + zp_y`."""
    source = build.operand(node, 0)
    output = build.output_type(node, source.shape, source.layout)
    clamp = build.clamp(node, output)
    steps = _table._of_bytes(source.dtype) - source.zero_point
    with np.errstate(over="ignore"):  # a product beyond float32 is infinite, and clamped
        real = change(steps.astype(np.float32) * scale(source))
        whole = half_even(real / scale(output)) + output.zero_point
    table = np.clip(whole, clamp["low"], clamp["high"]).astype(output.dtype)
    made = replace(node, op="mul")
    build.emit(made, "mul", node.inputs, output, {"sign": 1, **clamp}, {"table": table})


def applies(node: PreparedNode, build: Builder) -> bool:
    """Whether the second operand is a number, and the first one has bytes."""
    is_number = "scalar" in node.attributes and not node.attributes.get("reflected")
    return is_number and build.operand(node, 0).dtype != "int16"


def by_table(call: Call) -> bool:
    return "table" in call.constants and call.sources[0].dtype != "int16"
