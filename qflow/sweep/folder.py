"""folder: where the files of a sweep lie, and that only one leader at a time works there."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qflow.diagnostics import Diagnostic, fail
from qflow.engine import files
from qflow.records import dataclass

RECORD = "sweep.json"
_RESULTS = ("table.txt", "table.csv", "stages.csv", "pareto.png", "pareto.svg")
"""What an earlier sweep of the name left, besides folders."""


@dataclass(frozen=True)
class SweepFolder:
    base: Path
    """With every sweep of a file."""
    name: str

    @property
    def root(self) -> Path:
        return self.base / self.name

    @property
    def cache(self) -> Path:
        """Of all sweeps of the file."""
        return self.base / "cache"

    @property
    def record(self) -> Path:
        return self.root / RECORD

    @property
    def log(self) -> Path:
        return self.root / "log.txt"

    def plan(self, point: str) -> Path:
        return self.root / "plans" / f"{point}.json"

    def job(self, point: str) -> Path:
        return self.root / "jobs" / f"{point}.json"

    def point(self, point: str) -> Path:
        """Its run folder."""
        return self.root / "points" / point

    @contextmanager
    def open(self) -> Iterator[None]:
        """Make the folder and keep other leaders out of it until the block ends.

        Raises QflowError QF316 when it cannot be written, QF325 when another leader is in it.
        """

        def busy() -> None:
            raise fail(_in_use(self.root))

        with files.lock(self.root / ".lock", busy):
            yield

    def clear(self, points: tuple[str, ...]) -> None:
        """Remove what an earlier sweep left. Run folders of points that come again stay: a process
        that outlived its leader may be at work in one, and a run knows what of it still holds.
        """
        files.remove(self.record)
        for name in _RESULTS:
            files.remove(self.root / name)
        for name in ("plans", "jobs", "patches", "submitit"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        for left in (self.root / "points").glob("*"):
            if left.name not in points:
                shutil.rmtree(left, ignore_errors=True)


def sweeps_in(base: Path) -> tuple[str, ...]:
    """Names of the sweeps that were begun in a folder."""
    return tuple(sorted(found.parent.name for found in base.glob(f"*/{RECORD}")))


def _in_use(root: Path) -> Diagnostic:
    return Diagnostic(
        "QF325",
        f"another sweep is at work in `{root.as_posix()}`",
        help="wait for it to end, or name another folder with `--out DIR`",
    )
