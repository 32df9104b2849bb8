"""The integer graph: what a device runs. Free of torch, the same for every runtime and exporter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

FORMAT_VERSION = "2.0"


@dataclass(frozen=True)
class TensorType:
    """Type of a tensor on an edge. Real value = (q - zero_point) * scale; float32 has no scale.

    An int32 tensor without a scale holds whole numbers: indices, and masks of 0 and 1.
    """

    dtype: str
    """int8, uint8, int16, int32 or float32."""
    shape: tuple[int, ...]
    """In the tensor's own layout; the batch, dimension 0, is free at run time."""
    scale: np.ndarray | None = None
    """float32 [1], or [channels] along `axis`."""
    zero_point: int = 0
    axis: int | None = None
    layout: str = ""
    """nchw or nhwc for images, empty otherwise."""


@dataclass(frozen=True)
class Node:
    id: str
    address: str
    """Address in the model; of a node that a pass inserted, the address it serves."""
    op: str
    """File in `emulation/ops` or `emulation/steps`."""
    inputs: tuple[str, ...]
    output: TensorType
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """JSON data: what the operator needs besides tensors."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Role to key in the graph's `constants`: weight, bias, multiplier, shift, ..."""


@dataclass(frozen=True)
class IntegerGraph:
    """Nodes in an order in which they can run."""

    march: str
    profile: str
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    """Ids of the `input` nodes (float32 tensors as the model takes them)."""
    outputs: tuple[tuple[str, str], ...]
    """(output name, node id)."""
    constants: Mapping[str, np.ndarray]
    """Integer arrays, and float32 scales; keys are `<node id>.<role>`."""
    notes: tuple[str, ...] = ()
    bits: Mapping[str, int] = field(default_factory=dict)
    """Keys of constants that have fewer bits than their dtype: 4 of int4 weights, in int8."""
    any_size: bool = False
    """Inputs may have other sizes behind the batch than those here; `sizes.at` makes the graph for
    them."""

    @cached_property
    def by_id(self) -> dict[str, Node]:
        return {n.id: n for n in self.nodes}

    @cached_property
    def users(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {n.id: [] for n in self.nodes}
        for node in self.nodes:
            for source in dict.fromkeys(node.inputs):
                found[source].append(node.id)
        return {k: tuple(v) for k, v in found.items()}
