"""What docs/guide/hydra.md shows is read: the YAML form, and the project that composes."""

import re
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode

from qflow import resources
from qflow.hydra.sweep import sweep
from qflow.lang import yaml
from qflow.lang.yaml.convert import convert
from tests.hydra.project import composed, initialized, write

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


def test_the_sweep(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Its command prints what the page says; digests change with anything a plan says."""
    monkeypatch.chdir(PAGE.parents[2])
    page = PAGE.read_text(encoding="utf-8")
    found = re.search(r"python -m qflow\.hydra -m (.*?)\n```\n\n```\n(.*?)```", page, re.DOTALL)
    assert found is not None
    lines, shown = found[1].split(), found[2]
    with initialized(resources.folder("conf").resolve()):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        loader = hydra.config_loader
        master = loader.load_configuration("config", lines, RunMode.MULTIRUN)
        assert sweep(loader, master, lines) == 0
    assert _without_digests(capsys.readouterr().out) == _without_digests(shown)


def _without_digests(table: str) -> str:
    return re.sub(r"\b[0-9a-f]{10}\n", "\n", table)


def test_there_are_two() -> None:
    assert len(BLOCKS) == 2
