"""sensitivity_table: rows of a sensitivity table in any of its forms, for setters and for `.qf`."""

from __future__ import annotations

import pickle
import warnings
from os import PathLike
from pathlib import Path
from typing import Any

from qflow.plan import sensitivity
from qflow.plan.sensitivity import Row, damaged
from qflow.plan.sensitivity_pt import rows_from

_NO_TABLE = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OSError,
    MemoryError,
)
"""What `torch.load` raises for bytes that are none of its own."""


def load(path: str | PathLike[str]) -> tuple[Row, ...]:
    """Rows by falling sensitivity: JSON lines, or `.pt` with 4, 5 or 6 columns.

    A `.pt` file is read with `torch.load(weights_only=True)`: nothing in it is executed. Raises
    QflowError: QF302 when the file cannot be read, QF282 when it is no table.
    """
    file = Path(path)
    if file.suffix != ".pt":
        return sensitivity.read_table(file)
    import torch

    shown = file.as_posix()
    if not file.is_file():
        return sensitivity.read_table(file)  # says why it cannot be read
    try:
        with warnings.catch_warnings():
            # what torch thinks of the pickle's age is of no use to anybody here
            warnings.simplefilter("ignore")
            found = torch.load(file, map_location="cpu", weights_only=True)
    except _NO_TABLE as error:
        raise damaged(shown, f"its pickle is refused ({type(error).__name__})") from error
    return rows_from(_plain(found), shown)


def save(rows: tuple[Row, ...], path: Path) -> None:
    """Write rows in the field's format: `torch.save` of plain lists of six columns, at once.

    Raises OSError.
    """
    from io import BytesIO

    import torch

    from qflow.atomic import write

    raw = BytesIO()
    torch.save([row.columns() for row in rows], raw)
    write(path, raw.getvalue())


def _plain(value: Any) -> Any:
    """Tensors of one number as that number, lists and tuples element by element."""
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    numel = getattr(value, "numel", None)
    return value.item() if numel is not None and numel() == 1 else value
