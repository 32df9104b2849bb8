"""folder: the run directory: what lies where, and that only one run at a time writes there."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qflow.atomic import UNFINISHED
from qflow.diagnostics import Diagnostic, fail
from qflow.engine import files


@dataclass(frozen=True)
class RunFolder:
    root: Path

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def log(self) -> Path:
        return self.root / "log.txt"

    @property
    def state(self) -> Path:
        return self.root / "state.json"

    @property
    def summary(self) -> Path:
        return self.root / "summary.json"

    @property
    def export(self) -> Path:
        return self.root / "export"

    def check(self) -> None:
        """Raises QF316 where the folder could not be made or written; changes nothing."""
        nearest = next(p for p in (self.root, *self.root.absolute().parents) if p.exists())
        if not nearest.is_dir():
            raise files.unwritable(self.root, NotADirectoryError(20, f"`{nearest}` is a file"))
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise files.unwritable(self.root, PermissionError(13, "permission denied"))

    @contextmanager
    def open(self, wait: bool = False) -> Iterator[None]:
        """Make the folder and keep other runs out of it until the block ends.

        With `wait` a run that is in it is let end first. Raises QflowError QF316 when it cannot be
        written, QF319 when another run is in it.
        """
        self.check()

        def busy() -> None:
            if not wait:
                raise fail(_in_use(self.root))

        with files.lock(self.root / ".lock", busy):
            self._remove_leftovers()
            yield

    def _remove_leftovers(self) -> None:
        for left in sorted(self.root.rglob(f"*{UNFINISHED}*")):
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink(missing_ok=True)


def _in_use(root: Path) -> Diagnostic:
    return Diagnostic(
        "QF319",
        f"another run is at work in `{root}`",
        help="wait for it to end, or name another folder with `--out DIR`",
    )
