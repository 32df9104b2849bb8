"""lockstep: what `qflow compare` does with lanes: bring up a run, and compare what they compute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qflow.diagnostics import EXIT, QflowError
from qflow.engine import files
from qflow.engine.console import Console
from qflow.engine.folder import RunFolder
from qflow.engine.run import run_folder, understand

if TYPE_CHECKING:
    from qflow.analysis.divergence import Comparison
    from qflow.engine.work import Work


def lockstep(
    path: Path,
    settings: Mapping[str, str],
    out: Path | None,
    lanes: tuple[str, ...],
    chosen: tuple[str | None, int | None],
    console: Console,
) -> tuple[Comparison, ...]:
    """One comparison per pair of neighbours in `lanes`. `chosen`: data block and sample count.

    Raises QflowError as `run`, and QF530 for a lane there is not.
    """
    with brought_up(path, settings, out, console) as (work, _):
        from qflow.engine import compare

        return compare.compare(work, lanes, compare.samples_of(work, *chosen))


@contextmanager
def brought_up(
    path: Path, settings: Mapping[str, str], out: Path | None, console: Console
) -> Iterator[tuple[Work, RunFolder]]:
    """A run whose stages are done, and its folder, which is this process's own inside.

    Stages an earlier run made are taken over. Raises QflowError as `run`; what is raised inside
    gets the sources of the file.
    """
    found = understand(path, settings)
    folder = RunFolder(run_folder(path, out))
    with folder.open():
        try:
            console.log.open(folder.log)
            # torch is imported from here on
            from qflow.engine import session
            from qflow.engine.cache import Cache
            from qflow.engine.runner import run_stages

            work, _ = session.begin(path, found, settings, console)
            state = session.bring_up(work, folder, None)
            run_stages(work, Cache(folder.cache), state, ())
            state.end()
            yield work, folder
        except OSError as error:
            if not files.is_about(error, folder.root):
                raise
            where = Path(error.filename or folder.root)
            raise files.unwritable(where, error, EXIT.failed) from error
        except QflowError as error:
            error.sources = {**found.sources, **error.sources}
            raise
