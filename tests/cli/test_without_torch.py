"""What a base install, which has no PyTorch, says of verbs that need it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PIPELINE = Path(__file__).parents[2] / "pipelines" / "digits.qf"
BLOCKED = "import sys; sys.modules['torch'] = None; from qflow.cli import main; "


def called(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    code = f"{BLOCKED}sys.exit(main({arguments!r}))"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=False
    )


@pytest.mark.parametrize("verb", ["run", "lock", "profile"])
def test_a_verb_that_needs_it_says_how_to_get_it(verb: str, tmp_path: Path) -> None:
    done = called(
        [verb, str(PIPELINE)] + ["--out", str(tmp_path / "out")] * (verb != "lock"), tmp_path
    )
    assert done.returncode == 2, done.stderr
    assert "QF405" in done.stderr
    assert f"`qflow {verb}` needs PyTorch" in done.stderr
    assert "pip install 'qflow[torch]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", ["check", "plan"])
def test_a_review_works_without_it(verb: str, tmp_path: Path) -> None:
    assert called([verb, str(PIPELINE)], tmp_path).returncode == 0
