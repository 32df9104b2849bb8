"""work_job: one job of a sweep, in whatever process a launcher chose for it.

`python -m qflow.engine.work_job JOB.json` does the same as `run_job`.
"""

import os
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console as Screen

from qflow.diagnostics import EXIT, Diagnostic, QflowError, fail
from qflow.diagnostics.renderers.json import record
from qflow.engine import files
from qflow.engine.console import Console
from qflow.engine.folder import RunFolder
from qflow.engine.job import Job, JobResult, dumps, read_job
from qflow.plan import reader
from qflow.plan.plan import Plan

RESULT = "result.json"
_LAST: dict[str, Any] = {}
"""The model this process traced last, by what it was made from: points share it."""


def run_job(path: str) -> int:
    """Run one job; the exit code. `result.json` in its run folder says what became of it.

    Nothing is printed, and no exception leaves this function but KeyboardInterrupt: what went wrong
    is in the result, and with its traceback in `log.txt`. A run that is in the folder is let end
    first. Raises QflowError for a file that is no job: there is no folder to write a result to.
    """
    job = read_job(Path(path))
    folder = RunFolder(Path(job.out))
    # nobody is there to be told: the log has every line
    with open(os.devnull, "w", encoding="utf-8") as nowhere, folder.open(wait=True):
        files.remove(folder.root / RESULT)
        console = Console(Screen(file=nowhere), _kept)
        console.log.open(folder.log)
        result = _ended(job, folder, console)
        files.write(folder.root / RESULT, dumps(result))
    return result.exit_code


def _ended(job: Job, folder: RunFolder, console: Console) -> JobResult:
    try:
        with _threads(job.threads):
            return _done(job, folder, console)
    except QflowError as error:
        console.log.error(error)
        found = _records((*console.found, *error.diagnostics))
        return JobResult(job.name, error.exit_code, found)
    except Exception as error:
        # the border of a process: the other points of the sweep go on whatever this one did
        console.log.error(error)
        return JobResult(job.name, EXIT.bug, _records((*console.found, _crash(error))))


def _done(job: Job, folder: RunFolder, console: Console) -> JobResult:
    # torch is imported here, with the number of threads known
    from qflow.engine.cache import Cache
    from qflow.engine.session import carry_out, ready

    started = time.perf_counter()
    plan, *watched = (_plan(name, job.folder) for name in (job.plan, *job.watched))
    model = _model(plan, job)
    work, traced = ready(plan, model, Path(job.folder), started, console, tuple(watched))
    ended = carry_out(work, traced, folder, Cache(Path(job.cache)))
    stages = tuple((name, done.how, round(done.seconds, 3)) for name, done in ended.done.items())
    return JobResult(job.name, ended.code, _records(console.found), stages)


def _plan(name: str, folder: str) -> Plan:
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"the frozen plan `{name}` cannot be read: {error}"
        raise fail(Diagnostic("QF322", message, help="run the sweep without `--resume`")) from error
    return reader.loads(text, folder, name)


def _model(plan: Plan, job: Job) -> Any:
    """The model, traced once per process. Raises QF323 when it is not the one that was frozen."""
    from qflow.engine import digest
    from qflow.engine.frozen import refuse_another
    from qflow.engine.model import load

    key = digest.of_json([repr(plan.model), repr(plan.graph), job.folder, job.model])
    if key not in _LAST:
        _LAST.clear()
        model = load(plan.model, plan.graph, Path(job.folder))
        refuse_another(model, plan, job.model)
        _LAST[key] = model
    return _LAST[key]


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Inside, torch computes with so many threads; a launcher may have chosen others."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _records(found: Iterable[Diagnostic]) -> tuple[Mapping[str, Any], ...]:
    return tuple(record(d) for d in found)


def _crash(error: Exception) -> Diagnostic:
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = tuple(f"at {Path(f.filename).name}:{f.lineno}" for f in where)
    message = f"qflow made a mistake: {type(error).__name__}: {error}"
    return Diagnostic("QF326", message, notes=place, help="please report it, with log.txt")


def _kept(found: Iterable[Diagnostic]) -> None:
    """The console keeps them; they are part of the result."""


if __name__ == "__main__":
    sys.exit(run_job(sys.argv[1]))
