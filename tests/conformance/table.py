"""The table of conformance: what was compared with which runtime, and how much of it differed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules

import tests.conformance


@dataclass(frozen=True, order=True)
class Row:
    """One check: a profile, an operator with its dtype, and a runtime."""

    profile: str
    operator: str
    runtime: str
    version: str
    compared: int
    """Integers of the output; each of them is one rescaled accumulator or one value of a table."""
    mismatches: int
    """Of the oracle or of the fast path, whichever are more."""


COLUMNS = ("profile", "operator", "runtime", "version", "compared", "mismatches")


def checks() -> tuple[str, ...]:
    """Modules of this folder with a function `rows`: one per runtime."""
    found = sorted(m.name for m in iter_modules(tests.conformance.__path__))
    modules = [n for n in found if not n.startswith(("_", "test_"))]
    return tuple(n for n in modules if hasattr(import_module(f"tests.conformance.{n}"), "rows"))


def collect() -> tuple[Row, ...]:
    """Every row of every runtime that is installed."""
    return tuple(sorted(row for name in checks() for row in rows_of(name)))


def rows_of(name: str) -> Iterable[Row]:
    """Rows of one runtime; none where it is not installed."""
    rows: Iterable[Row] = import_module(f"tests.conformance.{name}").rows()
    return rows


def markdown(rows: Iterable[Row]) -> str:
    """The rows as a table of Markdown."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * 4}---:|---:|"]
    for row in rows:
        cells = (f"`{row.profile}`", row.operator, row.runtime, row.version)
        lines.append(f"| {' | '.join(cells)} | {row.compared:,} | {row.mismatches:,} |")
    return "\n".join(lines) + "\n"
