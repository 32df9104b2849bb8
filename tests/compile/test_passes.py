"""The pass list: each pass is pure, and none of them needs torch."""

import subprocess
import sys
from pathlib import Path

from qflow.compile import PASSES
from qflow.compile.unit import Unit
from qflow.lang import load
from tests.compile.models import of_entry

CASE = Path(__file__).parent.parent / "cases" / "compile" / "claims" / "x.qf"


def test_every_pass_gives_the_same_twice_and_leaves_its_input_alone() -> None:
    unit = Unit(load(CASE), {}, of_entry("nets:digits"))
    for step in PASSES:
        before = repr(unit)
        first, second = step(unit), step(unit)
        assert repr(first) == repr(second)
        assert repr(unit) == before
        unit = first
    assert unit.plan is not None


def test_the_front_half_imports_no_torch() -> None:
    script = (
        "import sys; from pathlib import Path; from qflow.compile.front import front;"
        "from qflow import lint; from qflow.plan.why import why; from qflow.plan.text import render;"
        "f = front(Path(sys.argv[1]), {}); list(lint.run(f.unit)); render(f.plan);"
        "why(f.plan, '**', f.text);"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'torch', 'onnx', 'rich', 'sklearn'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(CASE)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
