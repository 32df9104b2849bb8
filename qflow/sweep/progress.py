"""progress: how far a sweep is: a line that changes on a terminal, one per point elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TimeElapsedColumn
from rich.text import Text

from qflow.diagnostics import EXIT
from qflow.engine.console import Console
from qflow.engine.job import JobResult
from qflow.sweep import reuse
from qflow.sweep.launchers._ended import started

_HOW = {
    EXIT.yes: "done",
    EXIT.no: "done, an assert is false",
    EXIT.cannot: "failed",
    EXIT.failed: "failed",
    EXIT.bug: "died",
}
_ENDED = (EXIT.yes, EXIT.no)


@dataclass
class Going:
    """What is known while points run."""

    console: Console
    total: int
    waiting: dict[str, Path]
    """Jobs without a result, by point."""
    done: int = 0
    failed: int = 0
    bars: Progress | None = None

    def begin(self, jobs: Mapping[str, Path]) -> None:
        """More of the total is under way."""
        self.waiting.update(jobs)

    def ended(self, result: JobResult) -> None:
        """One line that stays, and the one that changes."""
        self.waiting.pop(result.name, None)
        self.done += result.exit_code in _ENDED
        self.failed += result.exit_code not in _ENDED
        count = f"{self.done + self.failed}/{self.total}"
        self.console.say(count, f"{result.name}: {_told(result)}")
        if self.bars is not None:
            self.bars.update(self.bars.task_ids[0], completed=self.done + self.failed)

    @property
    def running(self) -> int:
        """Jobs a worker has begun; a job that waits in a queue has not."""
        return sum(started(job).exists() for job in self.waiting.values())


@contextmanager
def going(console: Console, total: int, taken_over: Sequence[JobResult]) -> Iterator[Going]:
    """Of `total` points; `taken_over` are results of an earlier attempt, not told again."""
    failed = sum(r.exit_code not in _ENDED for r in taken_over)
    state = Going(console, total, {}, len(taken_over) - failed, failed)
    if not console.screen.is_terminal:
        yield state
        return
    columns = (BarColumn(24), _Counts(state), TimeElapsedColumn())
    with Progress(*columns, console=console.screen, transient=True, refresh_per_second=4) as bars:
        bars.add_task("points", total=state.total, completed=state.done + state.failed)
        state.bars = bars
        yield state


class _Counts(ProgressColumn):
    """`3 of 6 done, 2 running, 1 failed`."""

    max_refresh = 0.5

    def __init__(self, state: Going) -> None:
        super().__init__()
        self._state = state

    def render(self, task: Task) -> Text:
        state = self._state
        failed = f", {state.failed} failed" if state.failed else ""
        return Text(f"{state.done} of {state.total} done, {state.running} running{failed}")


def _told(result: JobResult) -> str:
    """`done in 4.2 s, 3 of 8 stages reused`."""
    how = _HOW.get(result.exit_code, f"ended with {result.exit_code}")
    ids = dict.fromkeys(d["code"] for d in result.diagnostics if d["severity"] == "error")
    if result.exit_code not in _ENDED:
        return f"{how} ({', '.join(ids)})" if ids else how
    seconds = sum(s for _, how_, s in result.stages if how_ != "reused")
    reused = reuse.told(result.stages)
    return f"{how}, {seconds:.1f} s, {reused} stages reused" if reused else how
