"""attributes: what the exporter reads of an integer graph's nodes, each fact in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from qflow.emulation.graph import IntegerGraph, Node


@dataclass(frozen=True)
class Window:
    """A sliding window; ONNX words it in the same order."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    """top, left, bottom, right."""
    dilation: tuple[int, int] = (1, 1)

    def onnx(self) -> dict[str, list[int]]:
        return {
            "kernel_shape": list(self.kernel),
            "strides": list(self.stride),
            "pads": list(self.padding),
            "dilations": list(self.dilation),
        }


def window(node: Node) -> Window:
    a = node.attributes
    return Window(
        _pair(a["kernel"]),
        _pair(a["stride"]),
        _four(a["padding"]),
        _pair(a.get("dilation", (1, 1))),
    )


def groups(node: Node) -> int:
    return int(node.attributes.get("groups", 1))


def clamp(node: Node) -> tuple[int, int] | None:
    """The integers a fused activation leaves, `(0, high)`; None where the dtype alone limits."""
    info = np.iinfo(node.output.dtype)
    low, high = node.attributes.get("low", info.min), node.attributes.get("high", info.max)
    return None if (low, high) == (info.min, info.max) else (int(low), int(high))


def residual(node: Node) -> str | None:
    """Id of the tensor that is added in accumulator precision; it is the last operand."""
    return node.inputs[-1] if node.attributes.get("residual") else None


def constant(graph: IntegerGraph, node: Node, role: str) -> np.ndarray | None:
    key = node.constants.get(role)
    return None if key is None else graph.constants[key]


def keeps_accumulator(node: Node) -> bool:
    return node.output.dtype == "int32"


def _pair(value: Any) -> tuple[int, int]:
    first, second = value
    return int(first), int(second)


def _four(value: Any) -> tuple[int, int, int, int]:
    top, left, bottom, right = value
    return int(top), int(left), int(bottom), int(right)
