"""basic: one point after the other, in this process."""

from collections.abc import Generator, Sequence
from pathlib import Path

from qflow.diagnostics import EXIT, Diagnostic
from qflow.engine.job import JobResult
from qflow.records import dataclass
from qflow.sweep.launchers import _ended, _worker


@dataclass(frozen=True)
class Basic:
    """It needs no package, and a debugger sees everything. What kills a point kills the sweep."""

    def check(self) -> tuple[Diagnostic, ...]:
        return ()

    def launch(self, jobs: Sequence[Path]) -> Generator[JobResult, None, None]:
        """Raises KeyboardInterrupt when a point was interrupted."""
        run = _worker.job_function()
        for job in jobs:
            _worker.take(job)
            run(str(job))
            result = _ended.finished(job)
            if result.exit_code == EXIT.interrupted:
                raise KeyboardInterrupt
            yield result
