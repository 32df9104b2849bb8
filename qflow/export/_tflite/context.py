"""context: what an operator may look at while it is written, and where it puts what it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.export._tflite.model import Operation, Tensor

if TYPE_CHECKING:
    from qflow.emulation.graph import IntegerGraph, Node, TensorType

NONE, RELU, RELU6 = 0, 1, 3
"""Activations that TFLite fuses."""


@dataclass
class Context:
    graph: IntegerGraph
    shapes: Mapping[str, tuple[int, ...]]
    """Of every node, with the batch of the file."""
    tensors: dict[str, Tensor] = field(default_factory=dict)
    """By id of the node whose values they hold."""
    operations: list[Operation] = field(default_factory=list)
    last: dict[str, Tensor] = field(default_factory=dict)
    """Images that came with the channels last, by the node that has them first."""
    same: dict[str, str] = field(default_factory=dict)
    """Id of a node that passes its input on, to the id of that input."""
    floats: list[str] = field(default_factory=list)
    """Addresses of what is written in float operators."""
    taken: set[str] = field(default_factory=set)

    def node(self, id_: str) -> Node:
        return self.graph.by_id[id_]

    def type_of(self, id_: str) -> TensorType:
        return self.graph.by_id[id_].output

    def name(self, wanted: str) -> str:
        found, count = wanted, 1
        while found in self.taken:
            count += 1
            found = f"{wanted}/{count}"
        self.taken.add(found)
        return found

    def like(self, node: Node, name: str = "", **changes: Any) -> Tensor:
        """A new tensor for the output of a node, or one that differs from it."""
        type_ = node.output
        facts = {
            "dtype": type_.dtype,
            "shape": self.shapes[node.id],
            "scale": type_.scale,
            "zero_point": type_.zero_point,
        }
        return Tensor(self.name(name or node.id), **{**facts, **changes})

    def values(self, id_: str) -> Tensor:
        """What holds a node's values: integers, or floats where it has none."""
        id_ = self.same.get(id_, id_)
        if id_ not in self.tensors and id_ in self.last:
            self.tensors[id_] = self._channels_first(id_)
        if id_ not in self.tensors:
            self.tensors[id_] = self._dequantized(self.node(id_))
        return self.tensors[id_]

    def inputs(self, node: Node) -> list[Tensor]:
        return [self.values(i) for i in node.inputs]

    def put(
        self,
        operator: str,
        inputs: Sequence[Tensor],
        output: Tensor,
        options: str = "",
        version: int = 1,
        **settings: Any,
    ) -> Tensor:
        self.operations.append(
            Operation(operator, tuple(inputs), output, options, version, settings)
        )
        return output

    def finish(self, node: Node, tensor: Tensor) -> None:
        self.tensors[node.id] = tensor

    def constant(self, wanted: str, data: np.ndarray, **grid: Any) -> Tensor:
        array = np.asarray(data)
        return Tensor(self.name(wanted), array.dtype.name, array.shape, data=array, **grid)

    def ints(self, node: Node, what: str, numbers: Any) -> Tensor:
        return self.constant(f"{node.id}/{what}", np.asarray(numbers, np.int32))

    def role(self, node: Node, role: str) -> np.ndarray:
        return self.graph.constants[node.constants[role]]

    def activation(self, node: Node) -> int:
        """What a clamp is called where TFLite fuses it. Raises QflowError QF502."""
        type_, info = node.output, np.iinfo(node.output.dtype)
        low = node.attributes.get("low", info.min)
        high = node.attributes.get("high", info.max)
        if (low, high) == (info.min, info.max):
            return NONE
        assert type_.scale is not None, "what is clamped lies on a grid"
        six = int(np.floor(np.float32(6) / type_.scale[0] + 0.5)) + type_.zero_point
        if low == max(type_.zero_point, info.min):
            if high == info.max:
                return RELU
            if high == min(six, info.max):
                return RELU6
        raise refused(node, f"it is clamped to {low}..{high}, which no activation of TFLite does")

    def _channels_first(self, id_: str) -> Tensor:
        node = self.node(id_)
        order = self.ints(node, "dims", (0, 3, 1, 2))
        made = self.like(node)
        return self.put("TRANSPOSE", [self.last[id_], order], made, "Transpose", 2)

    def _dequantized(self, node: Node) -> Tensor:
        assert node.op == "dequantize", f"{node.id} was not written"
        source = self.values(node.inputs[0])
        made = self.like(node, scale=None, zero_point=0)
        return self.put("DEQUANTIZE", [source], made, "Dequantize", 2)


def refused(node: Node, why: str) -> QflowError:
    """The QF502 for an operator, or a form of one, that TFLite does not have."""
    name = node.attributes.get("op", "") if node.op == "island" else ""
    what = f"the float operator `{name}`" if name else f"`{node.op}`"
    return fail(
        Diagnostic(
            "QF502",
            f"TFLite has no form of {what}, at `{node.address}`",
            notes=(why,),
            help="leave this export out",
        )
    )
