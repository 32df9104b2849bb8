"""write: model, tables and name map, all of them or none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qflow.export._tables import files
from qflow.export._tables.rows import ACTIVATION, FORMAT_VERSION, Missing
from qflow.export._tpu_mlir import qtable, table
from qflow.export._tpu_mlir.calls import Called, calls
from qflow.export._tpu_mlir.legal import CALIBRATION, QTABLE

if TYPE_CHECKING:
    from qflow.export._model.finished import Finished
    from qflow.export._tables.rows import Row
    from qflow.plan.plan import ExportPlan


def write(finished: Finished, export: ExportPlan, path: Path) -> tuple[str, ...]:
    """See `TpuMlir.write`."""
    from qflow.export._tables.material import OPSET, material

    asked = dict(export.settings)
    opset, batch = asked.get("opset", OPSET), asked.get("batch", 1)
    assert isinstance(opset, int)
    assert isinstance(batch, int)
    made = material(finished, export.target, opset, batch)
    found = tuple(calls(made))
    missing = [*made.rows.missing, *_parameters(made.rows.rows)]
    names = path.with_name(path.stem + files.NAMES)
    files.write(
        {
            path: files.bytes_of(made.model),
            path.with_name(path.stem + CALIBRATION): table.render(found).encode(),
            path.with_name(path.stem + QTABLE): qtable.render(found).encode(),
            names: _names(path.name, found, missing),
        }
    )
    return files.summary(missing, names.name)


def _names(model: str, found: Sequence[Called], missing: Sequence[Missing]) -> bytes:
    """The name map: also how every row is called, and which rows stand for the way to a value."""
    own = {c.id: c for c in reversed(found) if c.is_own}
    data = {
        "format_version": FORMAT_VERSION,
        "model": model,
        "tensors": {
            c.id: {"row": c.row, **(c.grid.record() if c.grid else {}), "tensor": c.tensor}
            for c in own.values()
        },
        "on_the_way": {c.row: c.id for c in found if not c.is_own},
        "not_exported": [m.record() for m in missing],
    }
    return f"{json.dumps(data, indent=2, sort_keys=True)}\n".encode()


def _parameters(rows: Sequence[Row]) -> list[Missing]:
    why = "the compiler makes it from the model, as the march does"
    return [Missing(r.id, r.role, why) for r in rows if r.role != ACTIVATION]
