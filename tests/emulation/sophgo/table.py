"""The table of all comparisons: family, operator, processors, values compared, mismatches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from qflow.diagnostics import QflowError
from tests.emulation.sophgo.comparing import Result, compare
from tests.emulation.sophgo.forms import UnknownOperator
from tests.emulation.sophgo.vectors import Case, read


@dataclass(frozen=True)
class Row:
    family: str
    what: str
    operator: str
    processors: tuple[str, ...]
    compared: int
    different: int


def compared(directory: Path, families: Iterable[str] = ()) -> Iterator[tuple[Case, Result]]:
    """Every case of a directory with what came of it; of some families only, where they are named."""
    wanted = set(families)
    for case in read(directory):
        if not wanted or case.family in wanted:
            yield case, _compared(case)


def _compared(case: Case) -> Result:
    try:
        return compare(case)
    except (QflowError, UnknownOperator) as failed:
        result = Result()
        result.add("lowering", "-", 1, 1, f"{case.name}: {failed}")
        return result


def rows(results: Iterable[tuple[Case, Result]]) -> list[Row]:
    compared: dict[tuple[str, str, str], int] = defaultdict(int)
    different: dict[tuple[str, str, str], int] = defaultdict(int)
    processors: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for case, result in results:
        for (what, operator), count in result.compared.items():
            key = (case.family, what, operator)
            compared[key] += count
            different[key] += result.different[what, operator]
            processors[key].add(case.processor)
    return [
        Row(*key, tuple(sorted(processors[key])), compared[key], different[key])
        for key in sorted(compared)
    ]


def text(found: list[Row]) -> str:
    lines = [
        "| family | compared | operator | processors | values | mismatches |",
        "|---|---|---|---|---:|---:|",
    ]
    for r in found:
        processors = " ".join(r.processors)
        lines.append(
            f"| {r.family} | {r.what} | {r.operator} | {processors} | {r.compared} | {r.different} |"
        )
    total, wrong = sum(r.compared for r in found), sum(r.different for r in found)
    lines.append(f"| all | | | | {total} | {wrong} |")
    return "\n".join(lines)
