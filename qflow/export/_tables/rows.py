"""rows: the grids of a finished model as rows of a table, each at the tensor it is of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from qflow.export._tables.tidy import FloatModel
    from qflow.quantization.prepared import Grid, PreparedGraph, PreparedNode

FORMAT_VERSION = "1.0"
ACTIVATION, WEIGHT, BIAS = "activation", "weight", "bias"
_BORDERS = ("input", "dequant")


@dataclass(frozen=True)
class Row:
    id: str
    """Address, `address#1` for its second call; `address.weight`, `address.bias`."""
    tensor: str
    """Its name in the float model."""
    role: str
    dtype: str
    """int4, int8, int16; int32 of a bias. Signed, zero point 0."""
    scale: np.ndarray
    """float32 [1], or [channels] along `axis`."""
    axis: int | None
    lowest: float | None = None
    """The smallest value an activation had, where that is known."""

    def record(self) -> dict[str, Any]:
        """As in the name map."""
        return {
            "tensor": self.tensor,
            "dtype": self.dtype,
            "scale": [float(s) for s in self.scale],
            "axis": self.axis,
        }


@dataclass(frozen=True)
class Missing:
    """Something the plan has and a format does not take."""

    address: str
    what: str
    why: str

    def record(self) -> dict[str, str]:
        return {"address": self.address, "what": self.what, "why": self.why}


@dataclass
class Rows:
    rows: list[Row] = field(default_factory=list)
    """In execution order, an address before its parameters; no tensor is there twice."""
    missing: list[Missing] = field(default_factory=list)


def rows(graph: PreparedGraph, model: FloatModel) -> Rows:
    """Every grid there is, and what of the model lies on none."""
    found = Rows()
    taken: dict[str, Row] = {}
    by_id = {n.id: n for n in graph.nodes}
    for node in graph.nodes:
        for made in (*_activation(node, model), *_parameters(node, model, by_id)):
            if isinstance(made, Missing):
                found.missing.append(made)
            elif (first := taken.get(made.tensor)) is None:
                taken[made.tensor] = made
                found.rows.append(made)
            elif not _same(first, made):
                why = f"its tensor `{made.tensor}` has the grid of `{first.id}`"
                found.missing.append(Missing(made.id, made.role, why))
    return found


def _same(one: Row, other: Row) -> bool:
    return one.dtype == other.dtype and np.array_equal(one.scale, other.scale)


def _activation(node: PreparedNode, model: FloatModel) -> Iterator[Row | Missing]:
    for place, grid in enumerate(node.input_grids):
        if grid is not None:
            why = f"a tensor has one grid, and operand {place} is brought to another"
            yield Missing(node.id, "operand", why)
    if node.op in _BORDERS or node.op == "constant":
        return
    if node.grid is None:
        if node.out_dtype == "int32":
            yield Missing(node.id, ACTIVATION, "its accumulator is kept and has no grid of its own")
        elif node.out_dtype == "float32":
            yield Missing(node.id, ACTIVATION, "it stays float")
        return
    names = [model.names[i] for i in _ids(node, model)]
    if not names:
        yield Missing(node.id, ACTIVATION, "the float model has no tensor of it")
    for name in names:
        yield _row(node.id, name, ACTIVATION, node.grid, node.grid.axis)


def _ids(node: PreparedNode, model: FloatModel) -> list[str]:
    """The id itself, or those of its parts."""
    if node.id in model.names:
        return [node.id]
    head = f"{node.id}:"
    return [i for i in model.names if i.startswith(head) and i.removeprefix(head).isdigit()]


def _parameters(
    node: PreparedNode, model: FloatModel, by_id: dict[str, PreparedNode]
) -> Iterator[Row | Missing]:
    grid = node.weight_grid
    if grid is None:
        return
    id_ = f"{node.id}.{WEIGHT}"
    if id_ not in model.names:
        yield Missing(node.id, WEIGHT, "the float model holds it in another form")
        return
    axis = None if grid.scale.size == 1 else model.axes[id_]
    yield _row(id_, model.names[id_], WEIGHT, grid, axis)
    source = by_id.get(node.inputs[0])
    bias = f"{node.id}.{BIAS}"
    if node.bias is None or bias not in model.names or source is None or source.grid is None:
        return
    scale = (source.grid.scale.reshape(-1) * grid.scale.reshape(-1)).astype(np.float32)
    yield Row(bias, model.names[bias], BIAS, "int32", scale, 0 if scale.size > 1 else None)


def _row(id_: str, name: str, role: str, grid: Grid, axis: int | None) -> Row:
    scale = grid.scale.astype(np.float32).reshape(-1)
    return Row(id_, name, role, grid.dtype.name, scale, axis, grid.lowest)
