"""launcher: what every launcher is: it runs jobs somewhere and says what became of each."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Protocol

from qflow.diagnostics import Diagnostic
from qflow.engine.job import JobResult


class Launcher(Protocol):
    """A file of `launchers/`, called as the file: a frozen dataclass of its options.

    Fields are `str`, `int`, `float` or `bool` and have defaults; their names are what
    `--launcher-option` and the key `job.launcher` of a configuration take.
    """

    def check(self) -> tuple[Diagnostic, ...]:
        """What is wrong before any work: a missing package, values that make no sense."""

    def launch(self, jobs: Sequence[Path]) -> Generator[JobResult, None, None]:
        """Run the jobs of these files and give each result as it comes, in any order.

        A job whose process dies costs only itself: its result has exit code 4. Closing the
        generator, or an exception in it, stops what still runs.
        """
