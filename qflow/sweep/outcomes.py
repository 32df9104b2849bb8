"""outcomes: an Outcome from the result of a job and the summary in its run folder."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from qflow.diagnostics import EXIT
from qflow.engine.job import JobResult
from qflow.sweep.outcome import Outcome
from qflow.sweep.record import FrozenPoint


def outcome(point: FrozenPoint, result: JobResult, folder: Path) -> Outcome:
    """`folder` is the run folder of the point."""
    ended = result.exit_code in (EXIT.yes, EXIT.no)
    metrics, broken = _numbers(folder / "summary.json") if ended else ((), ())
    return Outcome(
        name=point.name,
        values=point.values,
        exit_code=result.exit_code,
        metrics=metrics,
        weight_bytes=point.weight_bytes,
        bit_operations=point.bit_operations,
        broken=broken,
        stages=result.stages,
        diagnostics=result.diagnostics,
    )


def has_numbers(folder: Path) -> bool:
    """Whether the summary of a run folder can be read."""
    return bool(_numbers(folder / "summary.json")[0])


def _numbers(path: Path) -> tuple[tuple[tuple[str, float], ...], tuple[str, ...]]:
    """Metrics and broken asserts; none where the summary is gone, or not as it was written."""
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
        return tuple(_metrics(summary)), tuple(_broken(summary))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return (), ()


def _metrics(summary: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for lane, values in sorted(summary["metrics"].items()):
        yield from ((f"{lane}.{name}", float(value)) for name, value in sorted(values.items()))


def _broken(summary: Mapping[str, Any]) -> Iterator[str]:
    for check in summary["checks"]:
        if check["severity"] == "assert" and check["verdict"] == "fails":
            yield str(check["claim"])
