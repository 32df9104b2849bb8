"""resuming: which sweep is gone on with, whether it can be, and what of it is done."""

from collections.abc import Iterator

from qflow.diagnostics import EXIT, Diagnostic, QflowError, fail
from qflow.engine.job import JobResult, read_result
from qflow.sweep import record as records
from qflow.sweep import said
from qflow.sweep.asked import Asked
from qflow.sweep.folder import SweepFolder, sweeps_in
from qflow.sweep.freezing import is_as_written
from qflow.sweep.launchers._ended import RESULT
from qflow.sweep.outcomes import has_numbers
from qflow.sweep.record import Record

_ENDED = (EXIT.yes, EXIT.no)


def begun(asked: Asked) -> SweepFolder:
    """The sweep of that name, or the only one there is. Raises QflowError QF324 without one."""
    folder = SweepFolder(asked.base, asked.name or _only(asked))
    if not folder.record.is_file():
        raise fail(_nothing(asked, sweeps_in(asked.base)))
    return folder


def intact(asked: Asked, folder: SweepFolder) -> Record:
    """What was frozen, every plan verified.

    Raises QflowError: QF324 when it is of other values, QF322 when a file of it is damaged.
    """
    record = records.read(folder.record)
    if others := tuple(_others(asked, record)):
        raise fail(
            Diagnostic(
                "QF324",
                f"the sweep in `{folder.root.as_posix()}` is another one",
                notes=others,
                help="leave `--resume` out to start this one",
            )
        )
    for point in record.points:
        if not is_as_written(folder.plan(point.name), point):
            raise records.damaged(folder.plan(point.name), "its plan was changed, or is missing")
    return record


def ended(record: Record, folder: SweepFolder) -> dict[str, JobResult]:
    """Results of points that came to their end, whatever their asserts say. What failed or died, or
    left a result that cannot be read, runs again."""
    found: dict[str, JobResult] = {}
    for point in record.points:
        place = folder.point(point.name)
        try:
            result = read_result(place / RESULT)
            for d in result.diagnostics:
                said.diagnostic(d)
        except (QflowError, KeyError, TypeError):
            continue
        if result.name == point.name and result.exit_code in _ENDED and has_numbers(place):
            found[point.name] = result
    return found


def _only(asked: Asked) -> str:
    """Raises QflowError QF324 unless there is exactly one sweep."""
    there = sweeps_in(asked.base)
    if len(there) != 1:
        raise fail(_nothing(asked, there))
    return there[0]


def _nothing(asked: Asked, there: tuple[str, ...]) -> Diagnostic:
    base = asked.base.as_posix()
    listed = ", ".join(f"`{name}`" for name in there)
    if not asked.name and there:
        message = f"`{base}` has several sweeps, and `--resume` goes on with one"
        help_ = "say which: `--sweep NAME`, or the `-m` it was started with"
    else:
        what = f"no sweep `{asked.name}`" if asked.name else "no sweep"
        message = f"there is {what} in `{base}` to be resumed"
        help_ = "leave `--resume` out to start it"
    return Diagnostic("QF324", message, notes=(f"there are {listed}",) if there else (), help=help_)


def _others(asked: Asked, record: Record) -> Iterator[str]:
    """What the command line says and the sweep was not started with. Nothing said is as it was."""
    if asked.varied and tuple(asked.varied.items()) != record.varied:
        shown = " ".join(f"{name}={','.join(values)}" for name, values in record.varied)
        yield f"it was started with `-m {shown}`" if shown else "it was started without `-m`"
    if asked.sweep is not None and asked.sweep != record.sweep:
        yield (
            f"it was started with `--sweep {record.sweep}`"
            if record.sweep
            else ("it was started without `--sweep`")
        )
    if asked.settings and tuple(sorted(asked.settings.items())) != tuple(sorted(record.settings)):
        shown = " ".join(f"--set {name}={value}" for name, value in record.settings)
        yield f"it was started with `{shown}`" if shown else "it was started without `--set`"
    if asked.threads is not None and asked.threads != record.threads:
        yield f"it was started with `--threads {record.threads}`"
    yield from asked.wanted.others(record.wanted)
