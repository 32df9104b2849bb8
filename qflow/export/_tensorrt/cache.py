"""cache: `tensor: 3c008912` per line: the bits of a float32 scale, which is largest value / 127."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from qflow.export._tables import files
from qflow.export._tables.rows import ACTIVATION, Missing, Row

if TYPE_CHECKING:
    from qflow.export._model.finished import Finished
    from qflow.plan.plan import ExportPlan

VERSION = "10.0.0"
ENTROPY, MINMAX = "EntropyCalibration2", "MinMaxCalibration"
CALIBRATOR = ENTROPY
CALIBRATORS = (ENTROPY, MINMAX)
INT8 = "int8"


def write(finished: Finished, export: ExportPlan, path: Path) -> tuple[str, ...]:
    """See `TensorrtCache.write`."""
    from qflow.export._tables.material import OPSET, material

    asked = dict(export.settings)
    opset = asked.get("opset", OPSET)
    assert isinstance(opset, int)
    made = material(finished, export.target, opset, batch=None)
    kept = [r for r in made.rows.rows if _fits(r)]
    missing = [*made.rows.missing, *_left(made.rows.rows)]
    model = path.with_name(path.stem + files.FLOAT)
    names = path.with_name(path.stem + files.NAMES)
    text = render(
        kept, str(asked.get("version", VERSION)), str(asked.get("calibrator", CALIBRATOR))
    )
    files.write(
        {
            path: text.encode(),
            model: files.bytes_of(made.model),
            names: files.name_map(path.name, model.name, kept, missing),
        }
    )
    return files.summary(missing, names.name)


def render(rows: Iterable[Row], version: str, calibrator: str) -> str:
    """The text of a cache. `version` is `10.0.0`; the header has its digits in one number."""
    lines = [f"TRT-{number(version)}-{calibrator}"]
    lines += [f"{r.tensor}: {struct.pack('>f', r.scale[0]).hex()}" for r in rows]
    return "\n".join(lines) + "\n"


def number(version: str) -> str:
    """`10.3.0` is 100300 and `8.6.1` is 8601, as TensorRT counts. Raises ValueError."""
    major, minor, patch = (*(int(p) for p in version.split(".")), 0, 0)[:3]
    if min(major, minor, patch) < 0 or max(minor, patch) > 99:
        raise ValueError(version)
    # from version 10 on each part has two digits
    tens = 100 if major >= 10 else 10
    return str(major * tens * 100 + minor * 100 + patch)


def _fits(row: Row) -> bool:
    return row.role == ACTIVATION and row.dtype == INT8 and row.scale.size == 1


def _left(rows: Iterable[Row]) -> Iterator[Missing]:
    for row in rows:
        if row.role != ACTIVATION:
            yield Missing(row.id, row.role, "a cache has activations alone")
        elif row.dtype != INT8:
            yield Missing(row.id, row.role, f"a cache is of int8, and this is {row.dtype}")
        elif row.scale.size != 1:
            yield Missing(row.id, row.role, "a cache has one scale per tensor")
