"""What became of a job, as every launcher finds it out: by `result.json` of its run folder."""

from pathlib import Path

from qflow.diagnostics import EXIT, Diagnostic, QflowError
from qflow.diagnostics.renderers.json import record
from qflow.engine.job import JobResult, read_job, read_result

RESULT = "result.json"


def result_of(job: Path) -> JobResult | None:
    """None where there is no result, or one that cannot be read: it never came so far."""
    try:
        return read_result(Path(read_job(job).out) / RESULT)
    except QflowError:
        return None


def dead(job: Path, why: str) -> JobResult:
    """Of a job whose process ended without a result: QF326."""
    asked = read_job(job)
    log = (Path(asked.out) / "log.txt").as_posix()
    found = Diagnostic(
        "QF326",
        f"the process of the point `{asked.name}` ended before the point did",
        notes=(why, f"its log is {log}, and what it printed {said(job).as_posix()}"),
        help="run the sweep again with `--resume`, with fewer `--workers` if memory ran out",
        about=asked.name,
    )
    return JobResult(asked.name, EXIT.bug, (record(found),))


def finished(job: Path, why: str = "nobody knows why") -> JobResult:
    """Of a job that is over, whatever ended it."""
    return result_of(job) or dead(job, why)


def said(job: Path) -> Path:
    """The file with what the job's process printed."""
    return job.with_suffix(".out")


def started(job: Path) -> Path:
    """The file that is there from the moment a worker has taken the job."""
    return job.with_suffix(".started")
