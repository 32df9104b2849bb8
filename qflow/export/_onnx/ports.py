"""ports: inputs and outputs of the exported model, and how they lie against the model's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.diagnostics import Diagnostic, fail
from qflow.emulation.rounding import to_grid
from qflow.export._onnx.settings import FLOAT32, NHWC

if TYPE_CHECKING:
    from qflow.emulation.graph import IntegerGraph, Node, TensorType
    from qflow.export._onnx.settings import Settings

TO_NHWC = (0, 2, 3, 1)
TO_NCHW = (0, 3, 1, 2)
WHOLE = "int32"
"""What holds whole numbers, which lie on no grid: indices and masks."""
_PASSES = ("dequantize", "identity")
"""Operators that leave integers as they are."""


@dataclass(frozen=True)
class Port:
    """One input or output as the file has it."""

    name: str
    source: str
    """Id of the node whose tensor it is."""
    dtype: str
    layout: str
    """nchw, nhwc, or empty where it is no image."""
    shape: tuple[int, ...]
    """In the port's own layout, with the example's batch."""
    scale: tuple[float, ...] = ()
    """Of an integer port: one, or one per channel."""
    axis: int | None = None
    """Channel axis of the scale, in the model's own layout."""
    zero_point: int = 0
    node: str = ""
    """Id of the node that the model gives out; `source` is what stands before its dequantize."""
    rounding: str = "half_even"
    """Of an input that takes integers: how floats become such."""

    @property
    def is_float(self) -> bool:
        return self.dtype == FLOAT32

    @property
    def is_nhwc(self) -> bool:
        return self.layout == NHWC

    def record(self) -> dict[str, Any]:
        """What a reader of the file needs to speak the model's own language."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "layout": self.layout,
            "scale": list(self.scale),
            "axis": self.axis,
            "zero_point": self.zero_point,
            "rounding": self.rounding,
        }

    @staticmethod
    def of_record(record: Mapping[str, Any]) -> Port:
        return Port(
            name=record["name"],
            source="",
            dtype=record["dtype"],
            layout=record["layout"],
            shape=(),
            scale=tuple(record["scale"]),
            axis=record["axis"],
            zero_point=record["zero_point"],
            rounding=record["rounding"],
        )

    def into_file(self, values: np.ndarray) -> np.ndarray:
        """The model's float32 NCHW values as this input takes them."""
        if self.scale:
            info, zero = np.iinfo(self.dtype), self.zero_point
            scale = np.array(self.scale, np.float32)
            values = to_grid(values, scale, self.rounding, info.min - zero, info.max - zero) + zero
        values = values.astype(self.dtype)
        return np.ascontiguousarray(values.transpose(TO_NHWC)) if self.is_nhwc else values

    def from_file(self, values: np.ndarray) -> np.ndarray:
        """What this output gave as float32 in the model's own layout."""
        if self.is_nhwc:
            values = values.transpose(TO_NCHW)
        if not self.scale:
            return np.ascontiguousarray(values)
        scale = np.asarray(self.scale, np.float32)
        if self.axis is not None:
            scale = scale.reshape([-1 if d == self.axis else 1 for d in range(values.ndim)])
        centred = values.astype(np.int64) - self.zero_point
        return np.ascontiguousarray(centred.astype(np.float32) * scale)


def input_port(graph: IntegerGraph, id_: str, settings: Settings) -> Port:
    """Raises QflowError QF501 when the input has not the one grid that `dtype` asks for."""
    node = graph.by_id[id_]
    name, dtype = node.address, settings.dtype_of(node.address)
    layout = settings.layout_of(name) if len(node.output.shape) == len(TO_NHWC) else ""
    shape = _laid_out(node.output.shape, layout)
    if node.output.dtype == WHOLE:
        return Port(name, id_, WHOLE, layout, shape, node=id_)
    if dtype == FLOAT32:
        return Port(name, id_, dtype, layout, shape, node=id_)
    readers = [graph.by_id[u] for u in graph.users[id_]]
    grids = {_grid(r) for r in readers}
    quantized = {r.op for r in readers} == {"quantize"}
    if not quantized or len(grids) != 1 or readers[0].output.dtype != dtype:
        found = ", ".join(sorted(f"`{r.id}` in {r.output.dtype}" for r in readers))
        raise fail(_impossible(name, dtype, f"it is read by {found}"))
    grid, rounding = readers[0].output, str(readers[0].attributes["rounding"])
    return Port(name, id_, dtype, layout, shape, _scale(grid), None, grid.zero_point, id_, rounding)


def output_port(graph: IntegerGraph, name: str, id_: str, settings: Settings) -> Port:
    """Raises QflowError QF501 when the tensor behind the output is not of the dtype asked for."""
    dtype = settings.dtype_of(name)
    node = graph.by_id[id_]
    if node.output.dtype == WHOLE and node.output.scale is None:
        dtype = WHOLE
    while node.op in _PASSES:
        node = graph.by_id[node.inputs[0]]
    layout = settings.layout_of(name) if len(node.output.shape) == len(TO_NHWC) else ""
    shape = _laid_out(node.output.shape, layout)
    if dtype == FLOAT32:
        return Port(name, node.id, dtype, layout, shape, node=id_)
    if node.output.dtype != dtype:
        raise fail(_impossible(name, dtype, f"`{node.id}` before it is {node.output.dtype}"))
    type_ = node.output
    return Port(
        name, node.id, dtype, layout, shape, _scale(type_), type_.axis, type_.zero_point, id_
    )


def accumulators(graph: IntegerGraph, outputs: Iterable[Port]) -> frozenset[str]:
    """Ids of nodes whose int32 leaves the graph: gemms, and what moves their accumulators."""
    found = set()
    for port in outputs:
        id_ = port.source if port.dtype == "int32" and port.scale else ""
        while id_ and graph.by_id[id_].output.dtype == "int32":
            found.add(id_)
            before = graph.by_id[id_].inputs
            id_ = before[0] if before else ""
    return frozenset(found)


def _impossible(name: str, dtype: str, why: str) -> Diagnostic:
    return Diagnostic(
        "QF501",
        f"`{name}` cannot be exported as {dtype}: {why}",
        help=f"write `{name}: {FLOAT32}`",
    )


def _laid_out(shape: tuple[int, ...], layout: str) -> tuple[int, ...]:
    return tuple(shape[i] for i in TO_NHWC) if layout == NHWC else tuple(shape)


def _grid(node: Node) -> tuple[str, tuple[float, ...], int]:
    return node.output.dtype, _scale(node.output), node.output.zero_point


def _scale(type_: TensorType) -> tuple[float, ...]:
    return () if type_.scale is None else tuple(float(s) for s in type_.scale.ravel())
