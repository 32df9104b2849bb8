"""sensitivity_pt: tables in the field's `.pt` format, read without torch, running no pickle.

`torch.save` of a list of rows `[op_name, sensitive_type, op_type, metric]`, newer with
`quant_dtype`, newer still with `flops`. Rows stand by falling sensitivity. A pickle is a program;
this reader lets it build lists, tuples, strings and numbers, and nothing else.
"""

import pickle
import zipfile
from io import BytesIO
from typing import Any, NoReturn

from qflow.plan.sensitivity import LARGEST, TYPES, Row, damaged

_MAGIC = 0x1950A86A20F9469CFC6C
"""First pickle of a file that an old `torch.save` wrote; three more come before the rows."""


def rows_of(raw: bytes, shown: str) -> tuple[Row, ...]:
    """The rows in the order of the file; `score` falls from the number of rows to 1.

    Raises QflowError QF282.
    """
    try:
        found = _zipped(raw) if zipfile.is_zipfile(BytesIO(raw)) else _old(raw)
    except _Refused as why:
        raise damaged(shown, str(why)) from None
    except (
        pickle.UnpicklingError,
        zipfile.BadZipFile,
        EOFError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        UnicodeDecodeError,
        NotImplementedError,
        OverflowError,
        MemoryError,
        OSError,
    ) as error:
        raise damaged(shown, f"its pickle cannot be read ({type(error).__name__})") from error
    return rows_from(found, shown)


def rows_from(found: object, shown: str) -> tuple[Row, ...]:
    """Rows of plain lists, as `torch.load` gives them. Raises QflowError QF282."""
    if not isinstance(found, (list, tuple)):
        raise damaged(shown, f"it holds a {type(found).__name__}, not a list of rows")
    return tuple(_row(row, len(found) - i, i, shown) for i, row in enumerate(found))


def _row(row: object, score: int, index: int, shown: str) -> Row:
    if not isinstance(row, (list, tuple)) or len(row) not in (4, 5, 6):
        raise damaged(shown, f"row {index} has not 4, 5 or 6 columns")
    metric = row[3]
    if isinstance(metric, bool) or not isinstance(metric, (int, float)) or metric != metric:
        raise damaged(shown, f"the metric of row {index} is no number")
    if row[1] not in TYPES:
        raise damaged(shown, f"row {index} is about {row[1]!r}, not {' or '.join(TYPES)}")
    if not isinstance(row[0], str) or not row[0]:
        raise damaged(shown, f"row {index} names no operator")
    dtype, flops = (*map(str, row[4:]), "", "")[:2]
    return Row(row[0], row[1], str(row[2]), float(metric), dtype, flops, float(score))


def _zipped(raw: bytes) -> object:
    with zipfile.ZipFile(BytesIO(raw)) as archive:
        names = [n for n in archive.namelist() if n.endswith("/data.pkl") or n == "data.pkl"]
        if len(names) != 1:
            raise _Refused("it has no `data.pkl`")
        if archive.getinfo(names[0]).file_size > LARGEST:
            raise _Refused("it is too large for a table")
        return _Plain(BytesIO(archive.read(names[0]))).load()


def _old(raw: bytes) -> object:
    if len(raw) > LARGEST:
        raise _Refused("it is too large for a table")
    stream = BytesIO(raw)
    if _Plain(stream).load() != _MAGIC:
        raise _Refused("it is not what `torch.save` writes")
    for _ in ("protocol version", "system"):
        _Plain(stream).load()
    return _Plain(stream).load()


class _Refused(Exception):
    """The pickle asks for something a table does not hold."""


class _Plain(pickle.Unpickler):
    """Builds what pickle has opcodes for; every class, function and tensor is refused."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise _Refused(
            f"it holds `{module}.{name}`; a table holds lists, strings and numbers. If its numbers "
            "are tensors, `qflow sensitivity --from` converts it"
        )

    def persistent_load(self, pid: Any) -> NoReturn:
        raise _Refused("it holds tensors: `qflow sensitivity --from` converts it")
