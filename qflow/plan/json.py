"""json: a plan as versioned data for programs; the same plan gives the same bytes anywhere."""

import json
from dataclasses import fields, is_dataclass
from typing import Any

from qflow.diagnostics import Span
from qflow.plan.plan import Plan


def dumps(plan: Plan) -> str:
    """JSON text, keys sorted, ending with a newline.

    A span is `[line, column, end_line, end_column]` in the plan's own file. A tensor's source says
    its kind: `{"kind": "observed", ...}`.
    """
    return json.dumps(plain(plan), sort_keys=True, indent=2, ensure_ascii=False) + "\n"


_KINDS = ("Observed", "Fixed", "Shared")


def plain(value: object) -> Any:
    """Dataclasses as dicts, tuples as lists, spans without their path."""
    if isinstance(value, Span):
        return [value.line, value.column, value.end_line, value.end_column]
    if is_dataclass(value):
        data = {f.name: plain(getattr(value, f.name)) for f in fields(value)}
        name = type(value).__name__
        return {"kind": name.lower(), **data} if name in _KINDS else data
    if isinstance(value, tuple):
        return [plain(v) for v in value]
    return value
