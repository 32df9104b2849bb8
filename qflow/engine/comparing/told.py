"""told: what a comparison of files found, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isfinite
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qflow import registry
from qflow.diagnostics import Diagnostic
from qflow.engine.comparing.judged import Verdict
from qflow.engine.comparing.sides import Found

FORMAT_VERSION = "1.0"
_MOST_LISTED = 8
_SHOWN = ("absolute", "cosine", "euclidean", "sqnr")


def show(found: Found) -> RenderableType:
    """A sentence, a row per tensor, and what was left out."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("tensor", overflow="fold")
    table.add_column("values", justify="right")
    for name in _SHOWN:
        table.add_column("SQNR dB" if name == "sqnr" else name, justify="right")
    table.add_column("policy", no_wrap=True)
    table.add_column("", overflow="fold")
    for verdict in found.verdicts:
        table.add_row(*_cells(verdict), style=_style(verdict))
    return Group(_headline(found), table, *_left_out(found))


def as_json(found: Found, diagnostics: Sequence[Diagnostic]) -> str:
    """One object: format_version, diagnostics as `--format json` has them, and tensors."""
    said = registry.load("diagnostics.renderers", "json")().render(diagnostics, {}, color=False)
    return json.dumps(
        {
            "format_version": FORMAT_VERSION,
            "diagnostics": json.loads(said),
            "sides": list(found.sides),
            "stopped": found.stopped,
            "tensors": [_record(v) for v in found.verdicts],
            "only": [list(names) for names in found.only],
        },
        indent=2,
    )


def _headline(found: Found) -> Text:
    wrong, judged = len(found.violated), [v for v in found.verdicts if not v.skipped]
    if not wrong:
        return Text(f"every policy holds for {len(judged)} tensors", "green")
    stopped = ", and the comparison stopped there" if found.stopped else ""
    return Text(f"{wrong} of {len(judged)} tensors are farther apart than allowed{stopped}", "bold")


def _cells(verdict: Verdict) -> list[str]:
    name = verdict.name
    if verdict.other != name:
        name += f" = {verdict.other}"
    if verdict.skipped or verdict.problem:
        blank = [""] * (len(_SHOWN) + 1)
        said = f"left out: {verdict.skipped}" if verdict.skipped else verdict.problem
        return [name, *blank, verdict.policy.text, said]
    values = dict(verdict.measured)
    return [
        name,
        f"{verdict.elements:,}",
        *(f"{values[m]:.6g}" for m in _SHOWN),
        verdict.policy.text,
        "" if verdict.holds else "does not hold",
    ]


def _style(verdict: Verdict) -> str | None:
    if not verdict.holds:
        return "bold"
    return "dim" if verdict.skipped else None


def _left_out(found: Found) -> list[Text]:
    lines = []
    for side, names in zip(found.sides, found.only, strict=True):
        if names:
            more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
            lines.append(Text(f"only in {side}: {', '.join(names[:_MOST_LISTED])}{more}", "dim"))
    return lines


def _record(verdict: Verdict) -> dict[str, Any]:
    return {
        "name": verdict.name,
        "other": verdict.other,
        "policy": verdict.policy.text,
        "holds": verdict.holds,
        "elements": verdict.elements,
        "measured": {k: v if isfinite(v) else None for k, v in verdict.measured},
        "problem": verdict.problem or None,
        "skipped": verdict.skipped or None,
    }
