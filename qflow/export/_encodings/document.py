"""document: rows as the JSON of one version of the format."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qflow.export._encodings import v061, v100, v200
from qflow.export._tables import files
from qflow.export._tables.rows import BIAS, Missing, Row

if TYPE_CHECKING:
    from qflow.export._model.finished import Finished
    from qflow.plan.plan import ExportPlan

VERSION = "1.0.0"
VERSIONS: Mapping[str, Callable[[Sequence[Row]], dict[str, Any]]] = {
    "0.6.1": v061.document,
    "1.0.0": v100.document,
    "2.0.0": v200.document,
}
_WITH_BIASES = ("2.0.0",)
"""Its reader wants the scale of an int32 bias; those before derive it."""


def write(finished: Finished, export: ExportPlan, path: Path) -> tuple[str, ...]:
    """See `Encodings.write`."""
    from qflow.export._tables.material import OPSET, material

    asked = dict(export.settings)
    version, opset = str(asked.get("version", VERSION)), asked.get("opset", OPSET)
    assert isinstance(opset, int)
    made = material(finished, export.target, opset, batch=None)
    kept = [r for r in made.rows.rows if r.role != BIAS or version in _WITH_BIASES]
    missing: list[Missing] = made.rows.missing
    model = path.with_name(path.stem + files.FLOAT)
    names = path.with_name(path.stem + files.NAMES)
    files.write(
        {
            path: render(kept, version).encode(),
            model: files.bytes_of(made.model),
            names: files.name_map(path.name, model.name, kept, missing),
        }
    )
    return files.summary(missing, names.name)


def render(rows: Sequence[Row], version: str) -> str:
    """The text of a file, in execution order; numbers are read as the same float32 again."""
    return json.dumps(VERSIONS[version](rows), indent=2) + "\n"
