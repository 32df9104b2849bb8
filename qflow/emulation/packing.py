"""packing: int4 values two per byte, as a file has them, and the bytes of weights there."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.record import Damaged

if TYPE_CHECKING:
    from qflow.emulation.graph import IntegerGraph

LOWEST, HIGHEST = -8, 7
NIBBLE = 15
MOST_AXES = 8
WEIGHT = "weight"


def pack(values: np.ndarray) -> np.ndarray:
    """uint8 [ceil(n / 2)] of n integers from -8 to 7, in the order of memory.

    The first of two lies in the low half of the byte, as ONNX has it; an odd one leaves 0 above it.
    """
    flat = values.reshape(-1).astype(np.int64)
    assert flat.min() >= LOWEST
    assert flat.max() <= HIGHEST
    halves = np.zeros(flat.size + flat.size % 2, np.uint8)
    halves[: flat.size] = flat & NIBBLE
    return halves[0::2] | (halves[1::2] << 4)


def unpack(data: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """int8 of that shape. Raises Damaged where the bytes are not what the shape needs."""
    count = prod(shape)
    if not 0 < len(shape) <= MOST_AXES or min(shape) < 1 or data.dtype != np.uint8:
        raise Damaged(f"packed values of shape {shape}")
    if data.shape != ((count + 1) // 2,):
        raise Damaged(f"{data.size} bytes of packed values for the shape {shape}")
    if count % 2 and data[-1] >> 4:
        raise Damaged("packed values go on behind their end")
    halves = np.stack([data & NIBBLE, data >> 4], axis=1).reshape(-1)[:count].astype(np.int8)
    return np.where(halves > HIGHEST, halves - 16, halves).astype(np.int8).reshape(shape)


def weight_bytes(graph: IntegerGraph) -> dict[str, int]:
    """Per node that has a weight, the bytes of it in a file."""
    found = {}
    for node in graph.nodes:
        if WEIGHT in node.constants:
            key = node.constants[WEIGHT]
            array = graph.constants[key]
            bits = graph.bits.get(key, 8 * array.itemsize)
            found[node.id] = (array.size * bits + 7) // 8
    return found
