"""floats: float operators between two grids, where an export lets them stay.

TFLite computes in float32 what qflow computes in float64 and rounds once: next to a tie the
integers behind may differ by a step. Each is listed in the file's name map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qflow.export._tflite.context import Context, refused
from qflow.export._tflite.model import Tensor

if TYPE_CHECKING:
    from qflow.emulation.graph import Node

KNOWN = ("layer_norm",)


def write(node: Node, context: Context) -> None:
    """Raises QflowError QF502 for an operator this export has no float form of."""
    name = node.attributes["op"]
    if name not in KNOWN:
        raise refused(node, f"of floats it writes {', '.join(KNOWN)}")
    context.floats.append(node.address)
    _layer_norm(node, context)


def _layer_norm(node: Node, context: Context) -> None:
    """(x - mean) / sqrt(variance + eps), times the weight, plus the bias."""
    x = context.values(node.inputs[0])
    rank, inner = len(x.shape), len(node.attributes["shape"])
    axes = context.ints(node, "axes", list(range(rank - inner, rank)))
    kept = (*x.shape[: rank - inner], *[1] * inner)

    def made(what: str, shape: tuple[int, ...]) -> Tensor:
        return context.like(node, f"{node.id}/{what}", shape=shape, scale=None, zero_point=0)

    def number(what: str, values: np.ndarray) -> Tensor:
        return context.constant(f"{node.id}/{what}", values.astype(np.float32))

    mean = context.put("MEAN", [x, axes], made("mean", kept), "Reducer", 1, keepDims=True)
    off = context.put("SUB", [x, mean], made("off", x.shape), "Sub", 1)
    square = context.put("MUL", [off, off], made("square", x.shape), "Mul", 1)
    spread = context.put("MEAN", [square, axes], made("spread", kept), "Reducer", 1, keepDims=True)
    eps = number("eps", np.array([node.attributes["eps"]]))
    held = context.put("ADD", [spread, eps], made("held", kept), "Add", 1)
    root = context.put("RSQRT", [held], made("root", kept), "", 1)
    found = context.put("MUL", [off, root], made("scaled", x.shape), "Mul", 1)
    for role, operator, options in (("weight", "MUL", "Mul"), ("bias", "ADD", "Add")):
        if role in node.constants:
            values = number(role, context.role(node, role))
            found = context.put(
                operator, [found, values], made(f"with_{role}", x.shape), options, 1
            )
    context.finish(node, found)
