"""Text in, text out: every folder of tests/cases/diff; QFLOW_UPDATE=1 writes them anew."""

import os
import re
from pathlib import Path

import pytest

from qflow.compile.sides import side
from qflow.diagnostics.renderers.text import Text
from qflow.lang.sources import DISK, Overlay
from qflow.plan.diff import compare, markdown, text
from qflow.plan.lock import Lock, render
from tests.compile.models import of_entry

CASES = Path(__file__).parent.parent.parent / "cases" / "diff"
FOLDERS = sorted(p for p in CASES.iterdir() if p.is_dir())
UPDATE = os.environ.get("QFLOW_UPDATE") == "1"
ENTRY = re.compile(r'"(nets:\w+)"')


def expected_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The difference as text, below what is wrong, and as markdown; locks are made on the fly."""
    monkeypatch.chdir(folder)
    sides = []
    for name in ("before.qf", "after.qf"):
        found = ENTRY.search(Path(name).read_text())
        assert found is not None
        lock = render(Lock(of_entry(found[1])))
        sources = Overlay(DISK, {Path(f"{name}.lock"): lock})
        sides.append(side(Path(name), name.removesuffix(".qf"), {}, sources))
    before, after = sides
    assert not before.broken
    findings = Text().render(after.diagnostics, after.sources)
    found_ = compare(before.side, after.side)
    return {
        "x.expected": findings + ("\n" if findings else "") + text.render(found_, "x.qf"),
        "x.md": markdown.render(found_, "x.qf"),
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_case(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = expected_of(folder, monkeypatch)
    if UPDATE:
        for name, shown in now.items():
            (folder / name).write_text(shown)
    assert now == {name: (folder / name).read_text() for name in now}


def test_there_are_cases() -> None:
    assert len(FOLDERS) >= 6
