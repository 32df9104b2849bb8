"""sheet: every column of every point as CSV (RFC 4180), for spreadsheets and programs."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from qflow.sweep.outcome import Outcome
from qflow.sweep.results import verdict
from qflow.sweep.results.grid import drop
from qflow.sweep.results.objective import Objective

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a text begins that a spreadsheet would take for something to compute."""
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?|-inf")
_FIRST, _LAST = ("point",), ("weight_bytes", "bit_operations", "best", "verdict", "exit_code")
_TEXTS = ("broken", "failed")


def table(outcomes: Sequence[Outcome], best: Sequence[Outcome], objective: Objective | None) -> str:
    """One row per point, numbers exact, an empty field for what is not known.

    The same points give the same text whoever ran them, and however often.
    """
    params = tuple(dict.fromkeys(name for o in outcomes for name, _ in o.values))
    lanes = tuple(sorted({name for o in outcomes for name, _ in o.metrics}))
    names = {o.name for o in best}
    fixed = {*_FIRST, *lanes, "drop", *_LAST, *_TEXTS}
    # a param may be called as one of these columns is
    heads = (f"param.{p}" if p in fixed else p for p in params)
    rows: list[list[str]] = [[*_FIRST, *heads, *lanes, "drop", *_LAST, *_TEXTS]]
    for o in outcomes:
        values, measured = dict(o.values), dict(o.metrics)
        lost = drop(o, objective) if objective is not None else None
        rows.append(
            [
                o.name,
                *(values.get(p, "") for p in params),
                *(_number(measured.get(lane)) for lane in lanes),
                _number(lost),
                str(o.weight_bytes or ""),
                str(o.bit_operations or ""),
                "yes" if o.name in names else "no",
                verdict.word(o),
                str(o.exit_code),
                "; ".join(o.broken),
                " ".join(verdict.ids(o)),
            ]
        )
    return _text(rows)


def stages(outcomes: Iterable[Outcome]) -> str:
    """One row per point and stage: how it came about, and its seconds, new with every run."""
    rows = [["point", "stage", "how", "seconds"]]
    rows += [[o.name, name, how, f"{s:.3f}"] for o in outcomes for name, how, s in o.stages]
    return _text(rows)


def _text(rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([_harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def _harmless(cell: str) -> str:
    """Values come from files: a text that a spreadsheet would compute gets a quote before it."""
    if not cell.startswith(_FORMULA) or _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)
