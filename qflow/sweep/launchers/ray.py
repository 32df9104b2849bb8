"""ray: points on a Ray cluster, or on one that is started on this machine for the sweep."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from qflow.diagnostics import Diagnostic
from qflow.engine.job import JobResult, read_job
from qflow.records import dataclass
from qflow.sweep.launchers import _ended, _options, _worker


@dataclass(frozen=True)
class Ray:
    """Every machine of the cluster sees the folder of the sweep and that of the program, under the
    same path, and has the same environment."""

    workers: int = 0
    """Points at once; 0: as many as there are cores for."""
    address: str = ""
    """Of a cluster that runs, `auto` for the one of this machine; empty: one is started here."""

    def check(self) -> tuple[Diagnostic, ...]:
        return (*_options.missing("ray"), *_options.at_least("workers", self.workers, 0))

    def launch(self, jobs: Sequence[Path]) -> Generator[JobResult, None, None]:
        if not jobs:
            return
        import ray

        threads = read_job(jobs[0]).threads
        waiting = list(reversed(jobs))
        with _said_to(jobs[0].parent / "ray.out"), self._cluster(ray, threads) as at_once:
            # a point that died is not run again unasked: it may have eaten the memory of all
            work = ray.remote(num_cpus=threads, max_retries=0)(_worker.undisturbed)
            run = ray.put(_worker.job_function())
            at_work: dict[Any, Path] = {}
            while waiting or at_work:
                while waiting and len(at_work) < at_once:
                    job = waiting.pop()
                    at_work[work.remote(run, os.getcwd(), str(job))] = job
                done, _ = ray.wait(list(at_work), num_returns=1)
                yield _ended.finished(at_work.pop(done[0]), _why(ray, done[0]))

    @contextmanager
    def _cluster(self, ray: Any, threads: int) -> Iterator[int]:
        """Connected; gives how many points run at once. Raises QflowError QF327."""
        at_once = _options.processes(self.workers, threads)
        cores = {} if self.address else {"num_cpus": at_once * threads}
        try:
            ray.init(
                address=self.address or "local",
                include_dashboard=None if self.address else False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                **cores,
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            help_ = "leave `address` out to start one here, or see `ray status`"
            raise _options.cannot_start("ray", error, help_) from error
        try:
            if self.address and not self.workers:
                at_once = max(1, int(ray.cluster_resources().get("CPU", 1)) // threads)
            yield at_once
        finally:
            ray.shutdown()


def _why(ray: Any, done: Any) -> str:
    """What Ray says of a task that is over."""
    try:
        ray.get(done)
    except ray.exceptions.RayError as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return "its worker said nothing of an error"


@contextmanager
def _said_to(path: Path) -> Iterator[None]:
    """Ray prints to standard output that a worker died, and logs hints about its own setup before
    its log level holds; what it says of a point is said by us, and the rest is kept in a file."""
    logger = logging.getLogger("ray")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with path.open("w", encoding="utf-8") as file, redirect_stdout(file):
            yield
    finally:
        logger.setLevel(before)
