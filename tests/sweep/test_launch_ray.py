"""Ray: the one test that starts a cluster, which takes longer than all that is done on it."""

from contextlib import closing
from pathlib import Path

import pytest

from qflow.engine import work_job
from qflow.sweep.choosing import launcher
from tests.sweep import faked


def test_a_local_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    # Ray keeps a token of its clusters there
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(work_job, "run_job", faked.acting())
    jobs = faked.written(tmp_path, "killed", "a0", "endless")
    with closing(launcher("ray", {"workers": "2"}).launch(jobs)) as running:
        found = {r.name: r for r in (next(running), next(running))}
        assert {n: r.exit_code for n, r in found.items()} == {"a0": 0, "killed": 4}
        assert "WorkerCrashedError" in found["killed"].diagnostics[0]["notes"][0]
        while (pid := faked.pid_of(jobs[2])) is None:
            pass
        assert faked.is_there(pid)
    assert not faked.is_there(pid)
    assert capfd.readouterr() == ("", "")
