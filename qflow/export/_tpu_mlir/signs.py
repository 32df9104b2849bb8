"""signs: which tensors have no value below 0, from the graph where it decides, else from the data.

A row with a minimum of 0 makes a tensor unsigned. The compiler aborts where a product of tensors
without a sign has one, so noise must not decide what the graph does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qflow.export._tables.rows import Row
    from qflow.export._tables.tidy import FloatModel

NEVER_NEGATIVE = frozenset({"Relu", "Sigmoid", "HardSigmoid", "Softmax", "Exp"})
"""Whatever they read. An `Abs` is signed all the same: the compiler has it so."""
KEEPS = frozenset(
    {
        *("Add", "Mul", "Concat", "MaxPool", "AveragePool", "GlobalAveragePool", "ReduceMean"),
        *("Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Split", "Expand"),
        *("Tile", "DepthToSpace", "SpaceToDepth", "Identity", "Dropout", "Max", "Min"),
    }
)
"""Never negative where nothing they read is."""
_OPERANDS = {"Add": 2, "Mul": 2, "Max": 2, "Min": 2}
"""How many tensors they must read for that: a constant operand may be negative."""


def unsigned(model: FloatModel, grids: Mapping[str, Row]) -> frozenset[str]:
    """Names of tensors, inputs among them."""
    found = {name for name in model.inputs if _seen(grids.get(name))}
    for tensor in model.tensors:
        enough = len(tensor.inputs) >= _OPERANDS.get(tensor.op, 1)
        kept = tensor.op in KEEPS and enough and found.issuperset(tensor.inputs)
        if tensor.op == "Abs":
            continue
        if tensor.op in NEVER_NEGATIVE or kept or _seen(grids.get(tensor.name)):
            found.add(tensor.name)
    return frozenset(found)


def _seen(row: Row | None) -> bool:
    """Whether calibration saw no value below 0."""
    return row is not None and row.lowest is not None and row.lowest >= 0
