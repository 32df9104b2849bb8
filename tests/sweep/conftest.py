"""A small pipeline whose points are frozen in earnest, and end as a test says instead of running."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from qflow import cli
from qflow.diagnostics import Diagnostic
from qflow.diagnostics.renderers.json import record
from qflow.engine import work_job
from qflow.engine.job import JobResult, dumps, read_job
from qflow.sweep import results
from qflow.sweep.outcome import Outcome
from tests.engine.conftest import forget, write_project


@dataclass
class Small:
    """The files of a pipeline below the current folder, and a sweep of it."""

    folder: Path
    read: Callable[[], Any]
    codes: dict[str, int] = field(default_factory=dict)
    """Exit codes of points that do not end well; 130 is Ctrl-C while it runs."""
    ran: list[str] = field(default_factory=list)
    """Names of the points that ran, in order."""
    compared: list[Outcome] = field(default_factory=list)
    """What the last sweep handed over to be compared, of which drawing it takes longest."""
    out: str = ""
    err: str = ""

    def run(self, *words: str) -> int:
        """`qflow run tiny.qf WORDS`; what it printed is in `out` and `err`."""
        forget()
        self.ran.clear()
        self.compared.clear()
        self.read()
        code = cli.main(["run", "tiny.qf", *words])
        self.out, self.err = self.read()
        return code

    def sweep(self, name: str = "act") -> Path:
        return self.folder / "sweeps" / "tiny" / name

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        forget()

    def replace(self, old: str, new: str) -> None:
        """Change the program; the old text must be there."""
        text = (self.folder / "tiny.qf").read_text()
        assert old in text
        self.write("tiny.qf", text.replace(old, new))

    def finish(self, folder: Path, outcomes: Sequence[Outcome], *_: Any, **__: Any) -> None:
        """Stands for `results.finish`."""
        assert folder.is_dir()
        self.compared.extend(outcomes)

    def end(self, path: str) -> int:
        """Stands for `run_job`."""
        job = read_job(Path(path))
        self.ran.append(job.name)
        code = self.codes.get(job.name, 0)
        if code == 130:
            raise KeyboardInterrupt
        out = Path(job.out)
        out.mkdir(parents=True, exist_ok=True)
        found = () if code == 0 else (record(Diagnostic("QF403", "it is not finite")),)
        if code < 2:
            accuracy = {"integer": {"accuracy": 0.5}, "float": {"accuracy": 0.75}}
            (out / "summary.json").write_text(json.dumps({"metrics": accuracy, "checks": []}))
        result = JobResult(job.name, code, found, (("calibrate", "ran", 0.5),))
        (out / "result.json").write_text(dumps(result))
        return code


@contextmanager
def begun(folder: Path, read: Callable[[], Any]) -> Iterator[Small]:
    """The pipeline written into a folder, which is the current one."""
    write_project(folder)
    project = Small(folder, read)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # a file changed twice within a second has the same time stamp as its cached byte code
        patch.setattr(sys, "dont_write_bytecode", True)
        patch.setattr(work_job, "run_job", project.end)
        patch.setattr(results, "finish", project.finish)
        yield project
    forget()


@pytest.fixture
def small(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Small]:
    with begun(tmp_path, capsys.readouterr) as project:
        yield project
