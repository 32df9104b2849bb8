"""What a target notes of a file it wrote is a line of the run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from qflow import registry
from qflow.engine.stages import export
from qflow.plan.plan import ExportPlan


class Target:
    def write(self, finished: object, block: ExportPlan, path: Path) -> tuple[str, ...]:
        path.write_text("scales")
        return ("not exported: head",)


def test_notes_stand_below_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, str]] = []
    console = SimpleNamespace(say=lambda name, text: said.append((name, text)))
    plan = SimpleNamespace(exports=(ExportPlan("table", "a/net.table", ()),))
    made = {"convert": SimpleNamespace(folder=tmp_path)}
    monkeypatch.setattr(export.file, "load", lambda path: None)
    monkeypatch.setattr(registry, "load", lambda kind, name: Target)
    export.make(SimpleNamespace(plan=plan, made=made, console=console, model=None), tmp_path)
    assert said == [("export", "table a/net.table, 6 bytes"), ("", "not exported: head")]
