"""job: one frozen plan to be run, and what became of it, as JSON that any launcher can carry.

A job holds no code and no absolute path: paths are relative to the folder a sweep was started in.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qflow.diagnostics import Diagnostic, fail

FORMAT_VERSION = "1.0"


@dataclass(frozen=True)
class Job:
    """One point of a sweep."""

    name: str
    """Of the point; no other of the sweep has it."""
    plan: str
    """File of the frozen plan, see `plan/reader.py`."""
    folder: str
    """Of the .qf: where its entry points and its checkpoint lie."""
    out: str
    """The run folder."""
    cache: str
    """Folder of artifacts that all jobs of a sweep share."""
    threads: int
    """What torch computes with: sums of floats depend on it."""
    model: str
    """Digest of the model's structure and weights when the plan was frozen."""
    watched: tuple[str, ...] = ()
    """Plans of the sweep that calibrate on the same values: one pass observes for all of them."""


@dataclass(frozen=True)
class JobResult:
    """What became of a job. `summary.json` in its run folder holds the numbers."""

    name: str
    exit_code: int
    """As of `qflow run`: 0, 1 an assert is false, 2 and 3 errors, 4 a mistake of qflow's own."""
    diagnostics: tuple[Mapping[str, Any], ...] = ()
    """Errors and warnings, as the JSON renderer has them."""
    stages: tuple[tuple[str, str, float], ...] = ()
    """Per stage `ran`, `reused` or `resumed`, and its seconds."""


def dumps(value: Job | JobResult) -> str:
    data = {"format_version": FORMAT_VERSION, **asdict(value)}
    return json.dumps(data, indent=2, sort_keys=True) + "\n"


def read_job(path: Path) -> Job:
    """Raises QflowError QF322 for a file that is no job."""
    data = _read(path, "a job")
    try:
        data["watched"] = tuple(data["watched"])
        return Job(**data)
    except (KeyError, TypeError) as error:
        raise _wrong(path, "a job", error) from error


def read_result(path: Path) -> JobResult:
    """Raises QflowError QF322 for a file that is no result of a job."""
    data = _read(path, "the result of a job")
    try:
        data["diagnostics"] = tuple(data["diagnostics"])
        data["stages"] = tuple((str(n), str(h), float(s)) for n, h, s in data["stages"])
        return JobResult(**data)
    except (KeyError, TypeError, ValueError) as error:
        raise _wrong(path, "the result of a job", error) from error


def _read(path: Path, what: str) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("format_version") != FORMAT_VERSION:
            raise ValueError("it has another format version")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _wrong(path, what, error) from error
    return dict(data)


def _wrong(path: Path, what: str, error: Exception) -> Exception:
    message = f"`{path.as_posix()}` is not {what}: {error}"
    return fail(Diagnostic("QF322", message, help="run the sweep without `--resume`"))
