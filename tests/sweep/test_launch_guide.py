"""Every command of docs/guide/sweeps.md does what the page says, with points that end at once."""

import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qflow import cli, registry
from qflow.engine import work_job
from qflow.sweep import results
from qflow.sweep.choosing import KIND
from qflow.sweep.launchers.basic import Basic
from tests.sweep.conftest import Small

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guide" / "sweeps.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^qflow (run .*)$", PAGE, re.MULTILINE)
BLOCK = "\nsweep precision { act = [int8, int16] }\n"


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """The pipeline of the page, with the `sweep` block it speaks of; all launchers run points here."""
    folder = tmp_path_factory.mktemp("pipelines")
    for name in ("digits.qf", "digits.qf.lock"):
        shutil.copy(ROOT / "pipelines" / name, folder)
    shutil.copytree(ROOT / "pipelines" / "digits", folder / "digits")
    with (folder / "digits.qf").open("a", encoding="utf-8") as file:
        file.write(BLOCK)
    _forget()
    small = Small(folder, lambda: ("", ""))
    here = Basic.launch
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(work_job, "run_job", small.end)
        patch.setattr(results, "finish", small.finish)
        patch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
        for name in registry.names(KIND):
            owner = registry.load(KIND, name)
            patch.setattr(owner, "launch", lambda self, jobs: here(Basic(), jobs))
        yield small
    _forget()


def _forget() -> None:
    """Let the next import read the modules of another folder."""
    for name in [n for n in sys.modules if n.partition(".")[0] == "digits"]:
        del sys.modules[name]


POINTS = {
    "--trials 12": 12,
    "--sweep precision": 2,
    "--sweep precision -m rounds=0,2": 4,
    "rounds=0,1,2": 6,
}


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, pipelines: Small) -> None:
    pipelines.ran.clear()
    pipelines.compared.clear()
    assert cli.main(shlex.split(command)) == 0
    count = max((n for words, n in POINTS.items() if words in command), default=2)
    assert len(pipelines.compared) == count
    # the sweep it goes on with had come to its end
    assert len(pipelines.ran) == (0 if "--resume" in command else count)


def test_every_launcher_is_on_the_page() -> None:
    for name in registry.names(KIND):
        assert f"| `{name}` |" in PAGE
