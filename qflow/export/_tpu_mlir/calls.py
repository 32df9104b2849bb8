"""calls: every tensor of the float model as the compiler knows it, and its grid in our plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qflow.export._tables.rows import ACTIVATION
from qflow.export._tpu_mlir import signs

if TYPE_CHECKING:
    from qflow.export._tables.material import Material
    from qflow.export._tables.rows import Row
    from qflow.export._tables.tidy import Tensor


@dataclass(frozen=True)
class Called:
    """A row of a table: of an input its own name, of any other tensor `TENSOR_Operator`."""

    row: str
    tensor: str
    id: str
    grid: Row | None
    """None: it stays float."""
    signed: bool
    is_own: bool = True
    """False for a tensor on the way to the value of an address, which has that value's grid; the
    compiler fuses what makes it."""


def calls(made: Material) -> Iterator[Called]:
    """Inputs, then every tensor in an order in which they can be computed."""
    grids = {r.tensor: r for r in made.rows.rows if r.role == ACTIVATION}
    unsigned = signs.unsigned(made.model, grids)
    for name in made.model.inputs:
        grid = grids.get(name)
        yield Called(name, name, grid.id if grid else name, grid, name not in unsigned)
    for tensor in made.model.tensors:
        grid = grids.get(tensor.name) or _behind(tensor, made, grids)
        signed = tensor.name not in unsigned
        row = f"{tensor.name}_{tensor.op}"
        yield Called(row, tensor.name, tensor.id, grid, signed, tensor.is_own)


def _behind(tensor: Tensor, made: Material, grids: dict[str, Row]) -> Row | None:
    """The grid of the value a tensor is on the way to."""
    return None if tensor.is_own else grids.get(made.model.names.get(tensor.id, ""))
