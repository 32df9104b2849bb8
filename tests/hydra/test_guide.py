"""What docs/guide/hydra.md shows is read: the YAML form, and the project that composes."""

import re
from pathlib import Path

import pytest

from qflow.lang import yaml
from qflow.lang.yaml.convert import convert
from tests.hydra.project import composed, write

PAGE = Path(__file__).parent.parent.parent / "docs" / "guide" / "hydra.md"
BLOCKS = re.findall(
    r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)


def test_the_form() -> None:
    assert yaml.parse(BLOCKS[0], "x.yaml").diagnostics == ()
    text, _ = convert(BLOCKS[0], "x.yaml")
    assert text.count("#") >= 5


def test_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, BLOCKS[1])
    found = composed()
    assert found.parsed.diagnostics == ()
    assert found.front().diagnostics != ()  # the lock beside it is of another model
    assert found.program.targets[0].fields[0].value.value == "nash-m"


def test_there_are_two() -> None:
    assert len(BLOCKS) == 2
