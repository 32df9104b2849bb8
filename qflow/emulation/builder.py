"""Builder: where lowering puts the integer nodes it makes, and asks for their operands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from qflow.diagnostics import Diagnostic
from qflow.dtype import DTYPES, DType
from qflow.emulation.graph import Node, TensorType
from qflow.emulation.op import NARROW, Call, Range, Unsupported
from qflow.emulation.profile import Profile
from qflow.emulation.rounding import to_grid
from qflow.march import March
from qflow.quantization.prepared import Grid, PreparedNode


class FloatLeft(Exception):
    """A tensor of a node is not in integers; the text says which. Becomes QF120."""


class NoScale(Exception):
    """A tensor of a node has no usable scale; the text says which. Becomes QF401."""


class NotFinite(Exception):
    """A parameter of a node holds NaN or infinity; the text says which. Becomes QF403."""


@dataclass
class Builder:
    march: March
    profile: Profile
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    types: dict[str, TensorType] = field(default_factory=dict)
    ranges: dict[str, Range] = field(default_factory=dict)
    """What integers each tensor can hold."""
    free: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Per prepared node the axes of its output that follow the batch."""
    bits: dict[str, int] = field(default_factory=dict)
    """Keys of constants that have fewer bits than the dtype that holds them."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def emit(
        self,
        node: PreparedNode,
        op: str,
        inputs: tuple[str, ...],
        output: TensorType,
        attributes: Mapping[str, Any] | None = None,
        constants: Mapping[str, np.ndarray] | None = None,
        id: str | None = None,
    ) -> str:
        """Append a node; its id is that of `node` unless given."""
        name = id or node.id
        keys = {role: f"{name}.{role}" for role in constants or {}}
        for role, array in (constants or {}).items():
            self.constants[keys[role]] = np.ascontiguousarray(array)
        made = Node(name, node.address, op, inputs, output, attributes or {}, keys)
        sources = tuple(self.types[i] for i in inputs)
        call = Call(made, sources, dict(constants or {}), self.profile)
        self.nodes.append(made)
        self.types[name] = output
        self.ranges[name] = call.operator.values(call, [self.ranges[i] for i in inputs])
        return name

    def operand(self, node: PreparedNode, index: int) -> TensorType:
        """Type of an operand that must lie on a grid of one scale. Raises FloatLeft."""
        found = self.types[node.inputs[index]]
        if holds_whole_numbers(found):
            raise FloatLeft(f"its operand `{node.inputs[index]}` holds whole numbers")
        if found.dtype not in NARROW or found.scale is None:
            raise FloatLeft(f"its operand `{node.inputs[index]}` is {found.dtype}")
        return found

    def free_axes(self, id: str) -> tuple[int, ...]:
        """Axes of a tensor that follow the batch; of a part those of the whole."""
        whole = id if id in self.free else id.rpartition(":")[0]
        return self.free.get(whole, (0,))

    def with_operands_on_their_grids(self, node: PreparedNode) -> PreparedNode:
        """The node reading operands that are rescaled where it says so. Raises as `output_type`."""
        inputs = list(node.inputs)
        for i, grid in enumerate(node.input_grids[: len(inputs)]):
            if grid is None or holds_whole_numbers(self.types[node.inputs[i]]):
                continue
            source = self.operand(node, i)
            reads = replace(node, grid=grid, out_dtype=grid.dtype.name)
            target = self.output_type(reads, source.shape, source.layout)
            if same_grid(source, target):
                continue
            place = f"{node.id}.operand{i}"
            inputs[i] = self.emit_rescale(node, place, inputs[i], source, target)
        return replace(node, inputs=tuple(inputs))

    def on_grid(self, node: PreparedNode, index: int) -> str:
        """Id of an operand on the grid of the output, rescaled to it where it lies on another."""
        name = node.inputs[index]
        source = self.operand(node, index)
        target = self.output_type(node, source.shape, source.layout)
        if same_grid(source, target):
            return name
        place = f"{node.id}.rescale" if len(node.inputs) == 1 else f"{node.id}.rescale{index}"
        self.notes.append(f"{place}: `{name}` does not lie on the grid of `{node.id}`")
        return self.emit_rescale(node, place, name, source, target)

    def emit_rescale(
        self, node: PreparedNode, place: str, name: str, source: TensorType, target: TensorType
    ) -> str:
        low, high = DTYPES[target.dtype].qmin, DTYPES[target.dtype].qmax
        constants = self.profile.requantize_constants(source, target)
        self.free[place] = self.free_axes(name)
        return self.emit(
            node, "rescale", (name,), target, {"low": low, "high": high}, constants, id=place
        )

    def output_type(
        self, node: PreparedNode, shape: tuple[int, ...], layout: str | None = None
    ) -> TensorType:
        """Type of the output from the node's grid. Raises FloatLeft, NoScale, Unsupported."""
        grid = node.grid
        if node.out_dtype not in NARROW:
            raise FloatLeft(f"its output is {node.out_dtype or 'of no dtype'}, on no grid")
        if grid is None:
            raise NoScale("its output was never observed")
        check_grid(grid, "output")
        if grid.dtype.name != node.out_dtype:
            raise Unsupported(f"its grid is {grid.dtype} and its output {node.out_dtype}")
        if grid.scale.size != 1:
            raise Unsupported("its output has one scale per channel: activations have one")
        if layout is None:
            layout = image_layout(shape)
        scale32 = grid.scale.astype(np.float32)
        return TensorType(node.out_dtype, shape, scale32, grid.zero_point, layout=layout)

    def clamp(self, node: PreparedNode, target: TensorType) -> dict[str, int]:
        """Attributes `low` and `high`: the dtype's range, narrowed by a relu or relu6."""
        low, high = clamp(node, target, self.rounding(node, node.grid))
        return {"low": low, "high": high}

    def rounding(self, node: PreparedNode, grid: Grid | None) -> str:
        """How floats come onto a grid: as the model was trained, else as the march does it."""
        asked = grid.rounding if grid is not None else ""
        if asked in ("", self.march.rounding):
            return self.march.rounding
        note = (
            f"{node.id}: rounds {asked} as in training, and {self.march.name} {self.march.rounding}"
        )
        if note not in self.notes:
            self.notes.append(note)
        return asked


def clamp(node: PreparedNode, target: TensorType, rounding: str) -> Range:
    """The range of the target's dtype, narrowed by a relu or relu6 that is or is behind `node`."""
    dtype, zero = DTYPES[target.dtype], target.zero_point
    activation = node.op if node.op in ("relu", "relu6") else node.activation
    if activation is None:
        return dtype.qmin, dtype.qmax
    if activation == "relu6":
        six = to_grid(np.array([6.0], np.float32), scale(target), rounding, 0, dtype.qmax - zero)
        return max(zero, dtype.qmin), int(six[0]) + zero
    if activation == "relu":
        return max(zero, dtype.qmin), dtype.qmax
    raise Unsupported(f"`{activation}` cannot run behind it")


def holds_whole_numbers(type: TensorType) -> bool:
    """Whether a tensor holds indices or a mask."""
    return type.dtype == "int32" and type.scale is None


def same_grid(one: TensorType, other: TensorType) -> bool:
    """Whether the integers of both mean the same."""
    kind = (one.dtype, one.zero_point) == (other.dtype, other.zero_point)
    return kind and np.array_equal(scale(one), scale(other))


def scale(type: TensorType) -> np.ndarray:
    """The scale of a type that has one."""
    assert type.scale is not None, "a float tensor has no scale"
    return type.scale


def image_layout(shape: tuple[int, ...]) -> str:
    """A tensor of four axes is an image batch in the model's order."""
    return "nchw" if len(shape) == 4 else ""


def check_grid(grid: Grid, what: str) -> DType:
    """Raises NoScale or Unsupported when integers cannot be computed on it."""
    if not grid.dtype.qmin <= grid.zero_point <= grid.dtype.qmax:
        raise Unsupported(f"its {what} has zero point {grid.zero_point}, outside of {grid.dtype}")
    if not np.all(np.isfinite(grid.scale)) or np.any(grid.scale <= 0):
        raise NoScale(f"the scale of its {what} is not a number above 0")
    return grid.dtype
