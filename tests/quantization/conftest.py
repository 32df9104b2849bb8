"""A march is set, and `prepare` writes its reports into a folder of the test."""

from pathlib import Path

import pytest

from qflow.march import current


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(current, "_set", "nash-m")
    return tmp_path
