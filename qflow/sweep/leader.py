"""leader: a sweep from the file to its table: compile all, freeze all, run, compare."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from qflow.compile.many import Compiled
from qflow.diagnostics import EXIT, QflowError
from qflow.engine import files
from qflow.engine.console import Console
from qflow.engine.job import Job, JobResult, dumps
from qflow.sweep import record as records
from qflow.sweep import results as comparing
from qflow.sweep import said
from qflow.sweep.asked import Asked
from qflow.sweep.folder import SweepFolder
from qflow.sweep.freezing import checked, frozen, understood, warnings_of, written
from qflow.sweep.launcher import Launcher
from qflow.sweep.launchers._ended import RESULT, dead, started
from qflow.sweep.outcome import Outcome
from qflow.sweep.outcomes import outcome
from qflow.sweep.progress import going
from qflow.sweep.record import FrozenPoint, Record
from qflow.sweep.resuming import begun, ended, intact


def sweep(
    asked: Asked,
    launcher: Launcher,
    console: Console,
    points: tuple[Compiled, ...] | None = None,
) -> int:
    """Compile every point anew, freeze and run them; the worst exit code of the points, or 130.

    `points` are those of somebody who has compiled them already, such as those Hydra composed.
    Raises QflowError with every error of every point, before anything runs.
    """
    points = understood(asked) if points is None else checked(points)
    folder = SweepFolder(asked.base, asked.name)
    with _at_work(folder, console):
        console.diagnose(warnings_of(points))
        plans = frozen(asked, points, console)
        folder.clear(tuple(p.name for p in plans))
        record = written(asked, plans, folder)
        # it comes last: where it is, all that it names is whole
        records.write(folder.record, record)
        return _run(record, folder, asked, {}, launcher, console)


def resume(asked: Asked, launcher: Launcher, console: Console) -> int:
    """Run what a sweep that was broken off did not finish, with the plans it had frozen.

    Raises QflowError: QF324 when there is nothing to resume, QF322 when its files are damaged.
    """
    folder = begun(asked)
    with _at_work(folder, console):
        record = intact(asked, folder)
        there = ended(record, folder)
        console.say("resume", f"{len(there)} of {len(record.points)} points are done")
        return _run(record, folder, asked, there, launcher, console)


@contextmanager
def _at_work(folder: SweepFolder, console: Console) -> Iterator[None]:
    """The folder is ours, and the log keeps the tracebacks of what ends the sweep."""
    with folder.open():
        console.log.open(folder.log)
        try:
            yield
        except OSError as error:
            # a full disk, or a folder that somebody took away: nothing qflow did wrong
            if not files.is_about(error, folder.base):
                raise
            where = Path(error.filename or folder.root)
            raise files.unwritable(where, error, EXIT.failed) from error
        except QflowError as error:
            console.log.error(error)
            raise


def _run(
    record: Record,
    folder: SweepFolder,
    asked: Asked,
    there: Mapping[str, JobResult],
    launcher: Launcher,
    console: Console,
) -> int:
    results = dict(there)
    jobs = {
        p.name: _job(p, record.threads, folder, asked.file)
        for p in record.points
        if p.name not in there
    }
    try:
        with (
            going(console, jobs, tuple(there.values())) as state,
            closing(launcher.launch(tuple(jobs.values()))) as coming,
        ):
            for result in coming:
                results[result.name] = result
                _keep(result, folder)
                state.ended(result)
    except KeyboardInterrupt:
        console.say("interrupted", "the same command with `--resume` goes on from here")
        return EXIT.interrupted
    for name in jobs.keys() - results.keys():
        results[name] = dead(jobs[name], "its launcher gave no result")
    return _compared(record, folder, asked, results, console)


def _job(point: FrozenPoint, threads: int, folder: SweepFolder, file: Path) -> Path:
    """Write the job of a point, and take away what an earlier attempt said of it."""
    name = point.name
    job = Job(
        name=name,
        plan=folder.plan(name).as_posix(),
        folder=file.parent.as_posix(),
        out=folder.point(name).as_posix(),
        cache=folder.cache.as_posix(),
        threads=threads,
        model=point.model,
        watched=tuple(folder.plan(other).as_posix() for other in point.watched),
    )
    files.remove(folder.point(name) / RESULT)
    files.remove(started(folder.job(name)))
    files.write(folder.job(name), dumps(job))
    return folder.job(name)


def _keep(result: JobResult, folder: SweepFolder) -> None:
    """A job that died wrote nothing itself."""
    files.remove(started(folder.job(result.name)))
    path = folder.point(result.name) / RESULT
    if not path.exists():
        files.write(path, dumps(result))


def _compared(
    record: Record,
    folder: SweepFolder,
    asked: Asked,
    results: Mapping[str, JobResult],
    console: Console,
) -> int:
    outcomes = [outcome(p, results[p.name], folder.point(p.name)) for p in record.points]
    console.diagnose(said.errors_of(outcomes))
    settings = dict(record.settings)
    comparing.finish(
        folder.root, outcomes, asked.file, console, settings=settings, patched=not asked.composed
    )
    _warned(outcomes, folder, console)
    return max(o.exit_code for o in outcomes)


def _warned(outcomes: list[Outcome], folder: SweepFolder, console: Console) -> None:
    count = said.warnings_in(outcomes)
    if count:
        points = "1 point has" if count == 1 else f"{count} points have"
        console.say("warnings", f"{points} some: {folder.root.as_posix()}/points/*/log.txt")
