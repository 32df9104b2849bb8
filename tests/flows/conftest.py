"""Every flow runs in a folder of its own: `prepare` writes its reports to the current one."""

from pathlib import Path

import pytest

from qflow.march import set_march


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    set_march("nash-m")
    return tmp_path
