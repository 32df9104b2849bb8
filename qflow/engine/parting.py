"""parting: what a comparison of lanes found, as a table for people and as JSON for programs."""

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
from qflow.analysis.divergence import Comparison, Row
from qflow.diagnostics import Diagnostic

FORMAT_VERSION = "1.0"


def show(found: Sequence[Comparison]) -> RenderableType:
    """Per pair a sentence on the first tensor that differs, then the table of all."""
    parts: list[RenderableType] = []
    for pair in found:
        parts += [_headline(pair), _table(pair), Text()]
    return Group(*parts[:-1])


def as_json(found: Sequence[Comparison], diagnostics: Sequence[Diagnostic]) -> str:
    """One object: format_version, diagnostics as `--format json` has them, and pairs."""
    said = registry.load("diagnostics.renderers", "json")().render(diagnostics, {}, color=False)
    return json.dumps(
        {
            "format_version": FORMAT_VERSION,
            "diagnostics": json.loads(said),
            "pairs": [_pair(p) for p in found],
        },
        indent=2,
    )


def _headline(pair: Comparison) -> Text:
    first = pair.first
    lanes = f"{pair.lanes[0]} and {pair.lanes[1]}"
    if first is None:
        count = sum(row.elements for row in pair.rows.values())
        return Text(f"{lanes}: equal in {count:,} values of {len(pair.rows)} tensors", "green")
    text = f"{lanes}: first apart at {first.address} ({first.op}), {_many(first)}"
    found = Text(text, "bold")
    if first.cause is not None:
        name = first.cause.name.replace("_", " ")
        found.append(f"\n  cause: {name} ({first.cause.share:.0%}): {first.cause.says}", "yellow")
    return found


def _many(row: Row) -> str:
    return f"{row.differing:,} of {row.elements:,} values, by at most {row.steps:.4g} steps"


def _table(pair: Comparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("tensor", "operator"):
        table.add_column(name, overflow="fold")
    for name in ("differ", "of", "steps", "SQNR dB", "cosine"):
        table.add_column(name, justify="right")
    table.add_column("cause")
    for row in pair.rows.values():
        sqnr = row.sqnr.result()
        table.add_row(
            row.address,
            row.op,
            f"{row.differing:,}",
            f"{row.elements:,}",
            f"{row.steps:.4g}",
            "" if row.equal else f"{sqnr:.1f}",
            "" if row.equal else f"{row.cosine.result():.6f}",
            "" if row.cause is None else row.cause.name.replace("_", " "),
            style="dim" if row.equal else None,
        )
    for lane, tensors in pair.only.items():
        if tensors:
            table.add_row(f"only in {lane}:", *[""] * 7)
            for name in tensors:
                table.add_row(f"  {name}", *[""] * 7, style="dim")
    return table


def _pair(pair: Comparison) -> dict[str, Any]:
    return {
        "lanes": list(pair.lanes),
        "first": None if pair.first is None else pair.first.address,
        "tensors": [_row(row) for row in pair.rows.values()],
        "only": {lane: list(names) for lane, names in pair.only.items()},
    }


def _row(row: Row) -> dict[str, Any]:
    sqnr = row.sqnr.result()
    cause = row.cause
    return {
        "address": row.address,
        "op": row.op,
        "elements": row.elements,
        "differing": row.differing,
        "steps": row.steps if isfinite(row.steps) else None,
        "sqnr_db": sqnr if isfinite(sqnr) else None,
        "cosine": row.cosine.result(),
        "cause": None if cause is None else {"name": cause.name, "share": cause.share},
    }
