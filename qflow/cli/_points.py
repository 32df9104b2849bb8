"""The points of a sweep for people and programs: one line each, after all that is wrong."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click

from qflow.cli._report import report
from qflow.compile.many import Compiled, said, unplanned_points
from qflow.diagnostics import EXIT
from qflow.plan import glance
from qflow.plan.glance import Glance
from qflow.plan.plan import Plan

FORMAT_VERSION = "1.0"
_DIGEST = 10
"""Digits of a digest that people see."""
_TITLES = ("point", "weight bytes", "bit operations", "outputs", "weights", "plan")
_NUMBERS = (1, 2)
"""Columns that stand on the right."""


def show(points: Sequence[Compiled], output_format: str) -> int:
    """Print them; what is said of several is said once.

    Raises QflowError with all that is wrong at any of them when not every point has a plan.
    """
    if error := unplanned_points(points):
        raise error
    plans = [(p, p.front.plan) for p in points if p.front.plan is not None]
    if output_format == "json":
        click.echo(dumps(plans), nl=False)
        return EXIT.yes
    about = said(points)
    report(about.diagnostics, about.sources, err=True)
    click.echo(table(plans), nl=False)
    return EXIT.yes


def table(plans: Iterable[tuple[Compiled, Plan]]) -> str:
    """One line per point below the titles, and how many plans differ."""
    glances = [(p.point.name, glance.of(plan)) for p, plan in plans]
    rows = [_TITLES, *(_row(name, found) for name, found in glances)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(_cell(row, i, widths[i]) for i in range(len(row))).rstrip() for row in rows]
    different = len({found.digest for _, found in glances})
    lines += ["", _count(len(glances), different)]
    return "\n".join(lines) + "\n"


def _row(name: str, found: Glance) -> tuple[str, ...]:
    taken = (f"{found.weight_bytes:,}", f"{found.bit_operations:,}")
    return (name, *taken, _dtypes(found.outputs), _dtypes(found.weights), found.digest[:_DIGEST])


def _dtypes(counted: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{dtype} {count}" for dtype, count in counted) or "-"


def _cell(row: tuple[str, ...], index: int, width: int) -> str:
    return row[index].rjust(width) if index in _NUMBERS else row[index].ljust(width)


def _count(points: int, plans: int) -> str:
    shown = "1 point" if points == 1 else f"{points} points"
    same = "" if plans == points else f", {plans} different plan{'s' if plans > 1 else ''}"
    return shown + same


def dumps(plans: Iterable[tuple[Compiled, Plan]]) -> str:
    """The same for programs, with the hash of every stage."""
    points = [_record(p, plan) for p, plan in plans]
    return json.dumps({"format_version": FORMAT_VERSION, "points": points}, indent=2) + "\n"


def _record(point: Compiled, plan: Plan) -> dict[str, Any]:
    found = glance.of(plan)
    return {
        "name": point.point.name,
        "values": dict(point.values),
        "weight_bytes": found.weight_bytes,
        "bit_operations": found.bit_operations,
        "outputs": dict(found.outputs),
        "weights": dict(found.weights),
        "digest": found.digest,
        "stages": dict(plan.hashes),
    }
