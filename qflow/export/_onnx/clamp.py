"""clamp: relu, relu6 and the end of a grid, as ONNX nodes on real values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qflow.export._onnx import attributes

if TYPE_CHECKING:
    from qflow.emulation.graph import Node, TensorType
    from qflow.export._onnx.emit import Context


def append(node: Node, context: Context, real: str) -> str:
    """What limits the node's output beyond its dtype; returns the name of the limited values.

    The limits are whole steps, so limiting before or after the rounding to the grid is the same.
    """
    found = attributes.clamp(node)
    if found is None:
        return real
    builder, type_ = context.builder, node.output
    low, high = found
    widest = np.iinfo(type_.dtype).max
    per_channel = attributes.constant(context.graph, node, "high")
    if low == 0 and (high == widest or per_channel is not None):
        real = builder.step("Relu", (real,), f"{node.id}/relu")
    else:
        ends = (_limit(low, type_), _limit(high, type_))
        names = [
            builder.constant(f"{node.id}/{end}", value)
            for end, value in zip(("low", "high"), ends, strict=True)
        ]
        real = builder.step("Clip", (real, *names), f"{node.id}/clip")
    if per_channel is None:
        return real
    assert type_.scale is not None
    values = (per_channel.astype(np.float32) * type_.scale).astype(np.float32)
    top = builder.constant(f"{node.id}/high", values.reshape(along(type_)))
    return builder.step("Min", (real, top), f"{node.id}/clip")


def along(type_: TensorType) -> tuple[int, ...]:
    """Shape in which a per-channel array broadcasts against the tensor."""
    return tuple(-1 if axis == type_.axis else 1 for axis in range(len(type_.shape)))


def _limit(steps: int, type_: TensorType) -> np.ndarray:
    assert type_.scale is not None
    return (np.float32(steps) * type_.scale.astype(np.float32)).reshape(())
