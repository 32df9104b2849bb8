"""The tutorial: its steps, put together one after the other, compile without an error."""

import re
from pathlib import Path

import pytest

from qflow.compile.front import front
from qflow.compile.points import points
from qflow.diagnostics.renderers.text import Text
from qflow.lang.format import format_text
from qflow.plan.lock import Lock, lock_path, render
from tests.compile.models import of_entry
from tests.diagnostics.examples import whole

TUTORIAL = Path(__file__).parent.parent / "docs" / "guide" / "tutorial.md"
BLOCK = re.compile(r"^```(qf|file|gone)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PARTS = BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))
LOCK = render(Lock(of_entry("nets:digits")))


def steps() -> list[str]:
    """The whole file behind every step."""
    found: list[str] = []
    for kind, _, text in PARTS:
        if kind == "qf":
            found.append(whole(text, found[-1] if found else ""))
        if kind == "gone":
            blocks = found[-1].split("\n\n")
            found[-1] = "\n\n".join(b for b in blocks if not b.startswith(text.strip()))
    return found


STEPS = steps()


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for kind, name, text in PARTS:
        if kind == "file":
            Path(name).parent.mkdir(exist_ok=True)
            Path(name).write_text(text)
    path = Path("net.qf")
    lock_path(path).write_text(LOCK)
    return path


@pytest.mark.parametrize("number", range(len(STEPS)))
def test_step(number: int, program: Path) -> None:
    program.write_text(STEPS[number])
    found = front(program, {})
    errors = [d for d in found.diagnostics if d.severity == "error"]
    assert not errors, Text().render(errors, found.sources)


def test_the_step_that_says_so_has_the_finding_it_names(program: Path) -> None:
    program.write_text(next(s for s in STEPS if "freeze bn" in s))
    assert "QF271" in [d.code for d in front(program, {}).diagnostics]


def test_the_sweep_has_four_points_that_compile(program: Path) -> None:
    program.write_text(STEPS[-1])
    found = front(program, {}).program
    assert found is not None
    made = points(found, "observers", {}, {})
    assert len(made) == 4
    assert all(front(program, dict(point.settings)).plan for point in made)


def test_steps_are_canonical() -> None:
    for kind, _, text in PARTS:
        if kind != "gone":
            edition = "" if text.startswith("qflow ") else "qflow 1\n\n"
            assert format_text(edition + text, "x.qf") == edition + text
