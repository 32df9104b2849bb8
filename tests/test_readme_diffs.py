"""The edits in the README and what `qflow diff` prints of them; QFLOW_UPDATE=1 writes that anew."""

import os
import re
import shutil
from pathlib import Path

import pytest

from qflow.cli import main
from tests.repository import Repository

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
UPDATE = os.environ.get("QFLOW_UPDATE") == "1"
SHOWN = re.compile(
    r"```diff\n(?P<edit>.*?)```\n\n`qflow (?P<command>diff [^`]*)` prints\n\n"
    r"```\n(?P<printed>.*?)```\n",
    re.DOTALL,
)


def examples() -> list[re.Match[str]]:
    return list(SHOWN.finditer(README.read_text(encoding="utf-8")))


def apply(edit: str, path: Path) -> None:
    """What a block of `-` and `+` lines does to a file."""
    lines = edit.splitlines()
    old, new = ([line[1:] for line in lines if line[0] == sign] for sign in "-+")
    text = path.read_text(encoding="utf-8")
    before, after = ("\n".join(part) + "\n" for part in (old, new))
    assert text.count(before) == 1, f"{path.name} has no such lines: {before}"
    path.write_text(text.replace(before, after), encoding="utf-8")


def printed(edit: str, command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command prints in a repository whose working tree has the edit."""
    shutil.copytree(ROOT / "pipelines", folder / "pipelines", ignore=shutil.ignore_patterns("runs"))
    repository = Repository(folder)
    repository.commit()
    repository.git("update-ref", "refs/remotes/origin/main", "HEAD")
    *words, file = command.split()
    apply(edit, folder / file)
    capsys.readouterr()
    code = main([*words, file])
    captured = capsys.readouterr()
    assert captured.err == ""
    assert code == (2 if "error[" in captured.out else 1)
    return captured.out


@pytest.mark.parametrize("number", range(3))
def test_the_readme_shows_what_is_printed(
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = examples()[number]
    monkeypatch.chdir(tmp_path)
    now = printed(found["edit"], found["command"], tmp_path, capsys)
    if UPDATE:
        text = README.read_text(encoding="utf-8")
        start, end = found.span("printed")
        README.write_text(text[:start] + now + text[end:], encoding="utf-8")
        return
    assert found["printed"] == now


def test_the_three_are_a_budget_a_mistake_and_a_schedule() -> None:
    budget, mistake, schedule = (found["printed"] for found in examples())
    assert "match sensitive" in budget
    assert "bit operations" in budget
    assert "error[QF201]" in mistake
    assert "act.observer" in mistake
    assert "stages" in schedule
    assert "frozen from epoch 1" in schedule
