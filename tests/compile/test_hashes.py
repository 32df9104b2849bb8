"""Hashes: a change reaches the stages that read it and the later ones, and no earlier one."""

import shutil
from pathlib import Path

import pytest

from qflow.compile.front import front

CASE = Path(__file__).parent.parent / "cases" / "compile" / "claims"
STAGES = ("trace", "prepare", "calibrate", "evaluate", "convert", "export", "verify")


def hashes(folder: Path, old: str = "", new: str = "") -> dict[str, str]:
    """Hashes of the case with one piece of its text replaced."""
    text = (CASE / "x.qf").read_text()
    assert old in text
    shutil.copy(CASE / "x.qf.lock", folder)
    (folder / "x.qf").write_text(text.replace(old, new, 1) if old else text)
    plan = front(folder / "x.qf", {}).plan
    assert plan is not None
    return dict(plan.hashes)


def changed(folder: Path, old: str, new: str) -> tuple[str, ...]:
    before, after = hashes(folder), hashes(folder, old, new)
    assert tuple(before) == tuple(after) == STAGES
    return tuple(s for s in STAGES if before[s] != after[s])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("qflow 1\n", "# moved\nqflow 1\n\n\n"),
        ("model net {", "model other {"),
        ("target board {", "target chip {"),
        ("use w8a8", "use w8a8 with { act.observer = mse }  # the same"),
        ("samples = 64 }", "samples = 64; batch = 32; seed = 0 }"),
    ],
    ids=["lines", "model name", "target name", "said again", "defaults said"],
)
def test_what_nobody_reads_changes_nothing(tmp_path: Path, old: str, new: str) -> None:
    assert changed(tmp_path, old, new) == ()


@pytest.mark.parametrize(
    ("old", "new", "first"),
    [
        ("float32[N, 1, 8, 8]", "float32[2, 1, 8, 8]", "trace"),
        ("use w8a8", "use w8a8 with { act.observer = min_max }", "prepare"),
        ('"nash-m"', '"nash-e"', "prepare"),
        ("samples = 64", "samples = 65", "calibrate"),
        ("calibration }", 'calibration; state "head" = qat }', "calibrate"),
        ('"nash-m"', '"nash-m"; profile = onnxruntime', "convert"),
        ("check {", 'export onnx "a.onnx" { }\n\ncheck {', "export"),
        ("0.005", "0.006", "verify"),
        ("warn   cosine", "assert cosine", "verify"),
    ],
)
def test_a_change_reaches_its_stage_and_the_later_ones(
    tmp_path: Path, old: str, new: str, first: str
) -> None:
    assert changed(tmp_path, old, new) == STAGES[STAGES.index(first) :]


def test_nothing_builds_on_a_stage_that_only_evaluates(tmp_path: Path) -> None:
    old, new = "stage evaluate on val {", "stage evaluate on calib {"
    # the lanes of verify run over the same data
    assert changed(tmp_path, old, new) == ("evaluate", "verify")
