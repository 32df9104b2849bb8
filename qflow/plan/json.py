"""json: a plan as versioned data for programs; the same plan gives the same bytes anywhere.

The promise of `format_version`, MAJOR.MINOR: within a major version fields are only added, and
none changes its name, its type or its meaning, so who ignores unknown fields reads every later
minor version. A new major version may change anything, and `plan.reader` refuses it.
"""

import json
from dataclasses import fields, is_dataclass
from typing import Any

from qflow.diagnostics import Span
from qflow.plan.places import Places
from qflow.plan.plan import Plan

KINDS = ("Observed", "Fixed", "Shared")
"""Classes of a tensor's source."""
LEFT_OUT = frozenset({"folder"})
"""What depends on where the file lies."""


def dumps(plan: Plan) -> str:
    """JSON text, keys sorted, ending with a newline.

    A span is `[file, line, column, end_line, end_column]`, `file` an index into `files`; a tuple
    is a list. A tensor's source says its kind: `{"kind": "observed", ...}`.
    """
    return json.dumps(plain(plan), sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def plain(plan: Plan) -> Any:
    """The same as data."""
    return _plain(plan, Places(plan))


def _plain(value: object, places: Places) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, tuple):
        return [_plain(v, places) for v in value]
    if isinstance(value, Span):
        where = places.index(value.path)
        return [where, value.line, value.column, value.end_line, value.end_column]
    assert is_dataclass(value), f"{type(value).__name__} is no part of a plan"
    names = (f.name for f in fields(value) if f.name not in LEFT_OUT)
    data = {name: _plain(getattr(value, name), places) for name in names}
    kind = type(value).__name__
    return {"kind": kind.lower(), **data} if kind in KINDS else data
