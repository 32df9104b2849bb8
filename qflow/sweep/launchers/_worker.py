"""What a process of a launcher does with a job: the same for all that start processes."""

import faulthandler
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from qflow.sweep.launchers._ended import said, started

Run = Callable[[str], object]
"""`engine.work_job.run_job`: takes the path of a job and leaves `result.json`."""


def job_function() -> Run:
    """The function every job is run by."""
    from qflow.engine import work_job

    return work_job.run_job


def work(run: Run, folder: str, job: str) -> None:
    """Run a job in `folder`, which its paths are relative to."""
    os.chdir(folder)
    take(Path(job))
    with _printing_to(said(Path(job))):
        run(job)


def undisturbed(run: Run, folder: str, job: str) -> None:
    """As `work`. Ctrl-C reaches every process of a terminal: whether to stop, the leader says."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    work(run, folder, job)


def take(job: Path) -> None:
    """Leave a mark that the job has begun, and where."""
    mark = {"host": socket.gethostname(), "pid": os.getpid()}
    started(job).write_text(json.dumps(mark) + "\n", encoding="utf-8")


@contextmanager
def _printing_to(path: Path) -> Iterator[None]:
    """What a user's code, a library or a crash prints goes to a file, not between our lines."""
    with path.open("w", encoding="utf-8") as file:
        kept = [(fd, os.dup(fd)) for fd in (1, 2)]
        faulthandler.enable(file)
        for fd, _ in kept:
            os.dup2(file.fileno(), fd)
        try:
            yield
        finally:
            faulthandler.disable()
            for fd, before in kept:
                os.dup2(before, fd)
                os.close(before)
