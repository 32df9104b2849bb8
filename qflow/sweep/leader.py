"""leader: a sweep from the file to its table: compile all, freeze all, run, compare."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from qflow.compile.many import Compiled
from qflow.diagnostics import EXIT, QflowError
from qflow.engine import files
from qflow.engine.console import Console
from qflow.engine.job import Job, JobResult, dumps
from qflow.plan import reader
from qflow.plan.plan import Plan
from qflow.sweep import record as records
from qflow.sweep import results as comparing
from qflow.sweep import said, sampling
from qflow.sweep.asked import THREADS, Asked
from qflow.sweep.folder import SweepFolder
from qflow.sweep.freezing import checked, frozen, understood, warnings_of, written
from qflow.sweep.launcher import Launcher
from qflow.sweep.launchers._ended import RESULT, dead, started
from qflow.sweep.outcome import Outcome
from qflow.sweep.outcomes import outcome
from qflow.sweep.progress import going
from qflow.sweep.record import FrozenPoint, Record
from qflow.sweep.resuming import begun, ended, intact
from qflow.sweep.searching import Searching, at_once, searching


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
    sampling.check(asked.wanted.kind)
    points = understood(asked) if points is None else checked(points)
    folder = SweepFolder(asked.base, asked.name)
    with _at_work(folder, console):
        console.diagnose(warnings_of(points))
        plans = frozen(asked, points, console)
        folder.clear(tuple(p.name for p in plans))
        record = written(asked, plans, folder, at_once(launcher, asked.threads or THREADS))
        search = searching(record, lambda: [p.plan for p in plans], asked.file.parent)
        for point in record.points:
            # of an earlier sweep: one that is broken off would take it for its own
            files.remove(folder.point(point.name) / RESULT)
        # it comes last: where it is, all that it names is whole
        records.write(folder.record, record)
        return _run(record, search, folder, asked, {}, launcher, console)


def resume(asked: Asked, launcher: Launcher, console: Console) -> int:
    """Run what a sweep that was broken off did not finish, with the plans it had frozen.

    Raises QflowError: QF324 when there is nothing to resume, QF322 when its files are damaged.
    """
    folder = begun(asked)
    with _at_work(folder, console):
        record = intact(asked, folder)
        there = ended(record, folder)
        console.say("resume", f"{len(there)} of {len(record.points)} points are done")
        search = searching(record, lambda: _plans(record, folder), asked.file.parent)
        return _run(record, search, folder, asked, there, launcher, console)


def _plans(record: Record, folder: SweepFolder) -> Iterator[Plan]:
    for point in record.points:
        path = folder.plan(point.name)
        yield reader.loads(path.read_text(encoding="utf-8"), name=path.as_posix())


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
    search: Searching,
    folder: SweepFolder,
    asked: Asked,
    there: Mapping[str, JobResult],
    launcher: Launcher,
    console: Console,
) -> int:
    results = dict(there)
    points = {p.name: p for p in record.points}
    outcomes: dict[str, Outcome] = {}
    try:
        with going(console, search.most, tuple(there.values())) as state:
            while batch := search.sampler.ask(record.wanted.batch or 1):
                jobs = {
                    name: _job(points[name], record.threads, folder, asked.file)
                    for name in batch
                    if name not in results
                }
                state.begin(jobs)
                with closing(_launched(launcher, jobs)) as coming:
                    for result in coming:
                        results[result.name] = result
                        _keep(result, folder)
                        state.ended(result)
                for name in batch:
                    outcomes[name] = outcome(points[name], results[name], folder.point(name))
                    search.sampler.tell(outcomes[name])
    except KeyboardInterrupt:
        console.say("interrupted", "the same command with `--resume` goes on from here")
        return EXIT.interrupted
    ran = [outcomes[name] for name in points if name in outcomes]
    return _compared(record, search, folder, asked, ran, console)


def _launched(launcher: Launcher, jobs: Mapping[str, Path]) -> Generator[JobResult, None, None]:
    """A result of each job, those of which the launcher gives none included."""
    missing = dict(jobs)
    if not jobs:
        return
    with closing(launcher.launch(tuple(jobs.values()))) as coming:
        for result in coming:
            missing.pop(result.name, None)
            yield result
    for job in missing.values():
        yield dead(job, "its launcher gave no result")


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
    search: Searching,
    folder: SweepFolder,
    asked: Asked,
    outcomes: list[Outcome],
    console: Console,
) -> int:
    console.diagnose(said.errors_of(outcomes))
    settings = dict(record.settings)
    comparing.finish(
        folder.root,
        outcomes,
        asked.file,
        console,
        search.objective,
        settings,
        patched=not asked.composed,
    )
    _warned(outcomes, folder, console)
    return max(o.exit_code for o in outcomes)


def _warned(outcomes: list[Outcome], folder: SweepFolder, console: Console) -> None:
    count = said.warnings_in(outcomes)
    if count:
        points = "1 point has" if count == 1 else f"{count} points have"
        console.say("warnings", f"{points} some: {folder.root.as_posix()}/points/*/log.txt")
