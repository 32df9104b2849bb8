"""Jobs that do what their names say instead of quantizing, for launchers in whatever process."""

from collections.abc import Callable
from pathlib import Path

from qflow.engine.job import Job, dumps, read_job


def written(folder: Path, *names: str) -> list[Path]:
    """A job of each name, as a leader in `folder` writes it."""
    jobs = []
    for name in names:
        job = Job(name, "plans/p.json", ".", f"s/points/{name}", "cache", 1, "m")
        path = Path("s") / "jobs" / f"{name}.json"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(dumps(job))
        jobs.append(path)
    return jobs


def acting() -> Callable[[str], int]:
    """What stands for `run_job`: a function inside another, which no process has to import."""

    def run(path: str) -> int:
        import json
        import os
        import signal
        from pathlib import Path

        job = json.loads(Path(path).read_text())
        name, out = job["name"], Path(job["out"])
        out.mkdir(parents=True, exist_ok=True)
        (out / "pid.txt").write_text(str(os.getpid()))
        print("said by", name)
        if name.startswith("killed"):
            os.kill(os.getpid(), signal.SIGKILL)
        if name.startswith("interrupted"):
            raise KeyboardInterrupt
        while name.startswith("endless"):
            signal.pause()
        code = int(name[-1])
        result = {"diagnostics": [], "exit_code": code, "name": name, "stages": []}
        (out / "result.json").write_text(json.dumps({"format_version": "1.0", **result}))
        return code

    return run


def is_there(pid: int) -> bool:
    """Whether a process runs: one that ended and was not yet asked for its exit code does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def pid_of(job: Path) -> int | None:
    """The process a job runs in, as soon as it has begun."""
    try:
        return int((Path(read_job(job).out) / "pid.txt").read_text() or "0") or None
    except FileNotFoundError:
        return None
