"""joblib: points side by side in processes of this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from importlib import import_module
from pathlib import Path
from typing import Any

from qflow.diagnostics import Diagnostic
from qflow.engine.job import JobResult, read_job
from qflow.records import dataclass
from qflow.sweep.launchers import _ended, _options, _worker
from qflow.sweep.launchers._quiet import children_print_to

_SIGNAL = re.compile(r"\bSIG[A-Z]+\(-\d+\)|\bEXIT\(\d+\)")
"""How loky tells what ended a process."""
_IDLE_S = 10
"""After which a process without work ends: one whose leader was killed would wait for ever."""


@dataclass(frozen=True)
class Joblib:
    """The processes are those of loky, joblib's pool: they are kept from point to point.

    Each is a pool of its own, because a pool of several is lost with any of them.
    """

    workers: int = 0
    """Points at once; 0: as many as there are cores for."""

    def check(self) -> tuple[Diagnostic, ...]:
        return (*_options.missing("joblib"), *_options.at_least("workers", self.workers, 0))

    def launch(self, jobs: Sequence[Path]) -> Generator[JobResult, None, None]:
        waiting = list(reversed(jobs))
        idle: list[Any] = [None] * min(self._at_once(jobs), len(jobs))
        at_work: dict[Future[None], tuple[Path, Any]] = {}
        try:
            while waiting or at_work:
                while waiting and idle:
                    job = waiting.pop()
                    future, pool = _submit(idle.pop(), job)
                    at_work[future] = job, pool
                for done in wait(at_work, return_when=FIRST_COMPLETED).done:
                    job, pool = at_work.pop(done)
                    error = done.exception()
                    if error is not None:
                        pool.shutdown(wait=True, kill_workers=True)
                    idle.append(pool if error is None else None)
                    yield _ended.finished(job, _why(error))
        finally:
            for pool in (*idle, *(pool for _, pool in at_work.values())):
                if pool is not None:
                    # an idle process has nothing to lose, and takes seconds to end by itself
                    pool.shutdown(wait=True, kill_workers=True)

    def _at_once(self, jobs: Sequence[Path]) -> int:
        return _options.processes(self.workers, read_job(jobs[0]).threads) if jobs else 0


def _submit(pool: Any, job: Path) -> tuple[Future[None], Any]:
    """The pool is a new one where it is None."""
    loky = import_module("joblib.externals.loky")
    with children_print_to(job.parent / "joblib.out"):
        pool = pool or loky.ProcessPoolExecutor(max_workers=1, timeout=_IDLE_S)
        words = (_worker.job_function(), os.getcwd(), str(job))
        return pool.submit(_worker.undisturbed, *words), pool


def _why(error: BaseException | None) -> str:
    if error is None:
        return "its worker said nothing of an error"
    found = _SIGNAL.findall(str(error))
    return f"its process ended with {found[0]}" if found else f"{type(error).__name__}: {error}"
