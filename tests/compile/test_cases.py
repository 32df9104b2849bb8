"""Text in, text out: every folder of tests/cases/compile and lint; QFLOW_UPDATE=1 writes them anew."""

import os
import re
from pathlib import Path

import pytest

from qflow import lint
from qflow.compile.front import front
from qflow.diagnostics import sort
from qflow.diagnostics.renderers.text import Text
from qflow.plan.lock import Lock, render
from qflow.plan.text import render as plan_text
from tests.compile.models import of_entry

CASES = Path(__file__).parent.parent / "cases"
FOLDERS = sorted(p.parent for kind in ("compile", "lint") for p in CASES.glob(f"{kind}/*/x.qf"))
UPDATE = os.environ.get("QFLOW_UPDATE") == "1"
SETTINGS = re.compile(r"# set ([\w.]+)=(.*)")
ENTRY = re.compile(r'"(nets:\w+)"')


def expected_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a case gives: `x.plan` when there is a plan, `x.expected` when there are findings.

    A line `# set act=int16` in the file is a `--set`.
    """
    monkeypatch.chdir(folder)
    text = Path("x.qf").read_text()
    found = front(Path("x.qf"), dict(SETTINGS.findall(text)))
    diagnostics = found.diagnostics
    if folder.parent.name == "lint":
        assert found.unit is not None
        diagnostics = sort((*diagnostics, *lint.run(found.unit)))
    result = {}
    if found.plan is not None:
        result["x.plan"] = plan_text(found.plan)
    if diagnostics:
        result["x.expected"] = Text().render(diagnostics, found.sources)
    return result


def update(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the lock of the model a case names, then what the case gives."""
    entry = ENTRY.search((folder / "x.qf").read_text())
    if entry and not (folder / "no_lock").exists():
        (folder / "x.qf.lock").write_text(render(Lock(of_entry(entry[1]))))
    for name in ("x.plan", "x.expected"):
        (folder / name).unlink(missing_ok=True)
    for name, text in expected_of(folder, monkeypatch).items():
        (folder / name).write_text(text)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_case(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if UPDATE:
        update(folder, monkeypatch)
    kept = {name: folder / name for name in ("x.plan", "x.expected")}
    expected = {name: p.read_text() for name, p in kept.items() if p.exists()}
    assert expected_of(folder, monkeypatch) == expected


def test_there_are_cases() -> None:
    assert len(FOLDERS) >= 25
