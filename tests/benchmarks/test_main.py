"""`python -m benchmarks`: every benchmark there is, each once, and with `--quick` a single round."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as every

PARTS = ("verbs", "compile", "integer_forward", "fake_quant", "calibration", "growth", "memory")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[object, ...]]]:
    found: list[tuple[str, tuple[object, ...]]] = []
    for name in PARTS:
        module = getattr(every, name)
        monkeypatch.setattr(module, "run", lambda *given, name=name: found.append((name, given)))
    return found


def test_all_of_them_run_as_they_are(
    started: list[tuple[str, tuple[object, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    every.main()
    assert started == [(name, ()) for name in PARTS]


def test_quick_takes_one_round_of_one_image(
    started: list[tuple[str, tuple[object, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick"])
    every.main()
    assert tuple(name for name, _ in started) == PARTS
    assert dict(started)["integer_forward"] == (1, (1,))
    assert dict(started)["calibration"] == (1, 1)


def test_no_benchmark_is_forgotten() -> None:
    folder = Path(every.__file__).parent
    with_run = {p.stem for p in folder.glob("*.py") if "\ndef run(" in p.read_text("utf-8")}
    assert with_run == set(PARTS)
