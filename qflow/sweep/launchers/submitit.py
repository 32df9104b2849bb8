"""submitit: points as jobs of Slurm, or as processes that submitit starts on this machine."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

from qflow.diagnostics import Diagnostic
from qflow.engine.job import JobResult, read_job
from qflow.records import dataclass
from qflow.sweep.launchers import _ended, _options, _worker
from qflow.sweep.launchers._quiet import children_print_to
from qflow.sweep.launchers._worker import Run

_CLUSTERS = ("slurm", "local")
_LOOK_S = {"slurm": 2.0, "local": 0.05}
"""How often it is looked for results."""
_LATE_S = {"slurm": 90.0, "local": 0.0}
"""After the job has ended: file systems show a file of another machine late."""
_STOPPING_S = 10.0
_ARRAY = 1000
"""Jobs at most in Slurm's queue: what its arrays hold if nobody configured more."""


@dataclass(frozen=True)
class Submitit:
    """The folder of the sweep and that of the program lie where every node sees them. A job that is
    preempted is queued again and goes on where it was."""

    cluster: str = "slurm"
    """`slurm`, or `local`: processes of this machine."""
    workers: int = 0
    """Points at once; 0: as many as Slurm lets run, or as this machine has cores for."""
    partition: str = ""
    """Of Slurm; empty, as all words here: its default."""
    account: str = ""
    """Who pays."""
    qos: str = ""
    """Quality of service, as `sbatch --qos` takes it."""
    constraint: str = ""
    """What nodes must have, as `sbatch --constraint` takes it."""
    minutes: int = 240
    """Time limit of a point."""
    memory_gb: int = 8
    """Of one point."""
    cpus: int = 0
    """Cores of a point; 0: as many as it has threads."""
    gpus: int = 0
    """Of one point."""

    def check(self) -> tuple[Diagnostic, ...]:
        return (*_options.missing("submitit"), *self._cluster(), *self._sizes())

    def launch(self, jobs: Sequence[Path]) -> Generator[JobResult, None, None]:
        if not jobs:
            return
        local = self.cluster == "local"
        threads = read_job(jobs[0]).threads
        at_once = _options.processes(self.workers, threads) if local else _ARRAY
        executor = self._executor(jobs[0].parent.parent / "submitit", threads)
        waiting = list(reversed(jobs))
        at_work: list[_Submitted] = []
        try:
            while waiting or at_work:
                some = [waiting.pop() for _ in range(min(at_once - len(at_work), len(waiting)))]
                at_work += _submitted(executor, some, local)
                over = [s for s in at_work if s.is_over(_LATE_S[self.cluster])]
                at_work = [s for s in at_work if s not in over]
                for submitted in over:
                    yield submitted.result()
                if not over:
                    time.sleep(_LOOK_S[self.cluster])
        finally:
            _stop(at_work)

    def _cluster(self) -> Iterator[Diagnostic]:
        if self.cluster not in _CLUSTERS:
            message = f"`cluster` of submitit is `slurm` or `local`, not `{self.cluster}`"
            yield Diagnostic("QF111", message)
        elif self.cluster == "slurm" and shutil.which("srun") is None:
            yield Diagnostic(
                "QF327",
                "there is no Slurm on this machine: it has no `srun`",
                help="start the sweep where `srun` and `sbatch` are, or as processes of this "
                "machine with `--launcher-option cluster=local`",
            )

    def _sizes(self) -> Iterator[Diagnostic]:
        for name in ("workers", "cpus", "gpus"):
            yield from _options.at_least(name, getattr(self, name), 0)
        for name in ("minutes", "memory_gb"):
            yield from _options.at_least(name, getattr(self, name), 1)

    def _executor(self, folder: Path, threads: int) -> Any:
        import submitit

        executor = submitit.AutoExecutor(folder=folder, cluster=self.cluster)
        words = {
            name: value
            for name in ("partition", "account", "qos", "constraint")
            if (value := getattr(self, name))
        }
        executor.update_parameters(
            name="qflow",
            timeout_min=self.minutes,
            mem_gb=self.memory_gb,
            cpus_per_task=self.cpus or threads,
            gpus_per_node=self.gpus,
            slurm_array_parallelism=self.workers or 256,
            **{f"slurm_{name}": value for name, value in words.items()},
        )
        return executor


class Resumable:
    """`work`, which submitit queues again when Slurm takes the node away."""

    def __call__(self, run: Run, folder: str, job: str) -> None:
        _worker.work(run, folder, job)

    def checkpoint(self, run: Run, folder: str, job: str) -> Any:
        """Called by submitit in the job, before it is stopped."""
        from submitit.helpers import DelayedSubmission

        # a run that was killed goes on with the stages it had made
        return DelayedSubmission(self, run, folder, job)


class _Submitted:
    """A job of ours and the one of submitit that runs it."""

    def __init__(self, path: Path, job: Any) -> None:
        self.path, self.job = path, job
        self._result = Path(read_job(path).out) / _ended.RESULT
        self._ended: float | None = None

    def is_over(self, late_s: float) -> bool:
        """Its process is; elsewhere than here the result is enough, and may come after the end."""
        here = late_s == 0
        if not here and self._result.exists():
            return True
        if not self.job.done():
            return False
        self._ended = self._ended or time.monotonic()
        return time.monotonic() - self._ended >= late_s

    def result(self) -> JobResult:
        return _ended.finished(self.path, f"submitit's job {self.job.job_id} is {self.job.state}")


def _submitted(executor: Any, jobs: Sequence[Path], local: bool) -> list[_Submitted]:
    """Raises QflowError QF327 when Slurm takes none of them."""
    if not jobs:
        return []
    utils = import_module("submitit.core.utils")
    try:
        # one array of jobs, which is what `workers` limits
        with nullcontext() if local else executor.batch():
            return [_submit(executor, job) for job in jobs]
    except (utils.UncompletedJobError, utils.FailedSubmissionError, OSError) as error:
        help_ = "see whether `sbatch` takes a job with these options"
        raise _options.cannot_start("submitit", error, help_) from error


def _submit(executor: Any, job: Path) -> _Submitted:
    with children_print_to(executor.folder / "controllers.txt"):
        return _Submitted(
            job, executor.submit(Resumable(), _worker.job_function(), os.getcwd(), str(job))
        )


def _stop(at_work: Sequence[_Submitted]) -> None:
    for submitted in at_work:
        submitted.job.cancel()
    end = time.monotonic() + _STOPPING_S
    while time.monotonic() < end and not all(s.job.done() for s in at_work):
        time.sleep(_LOOK_S["local"])
