"""text: what a plan says of a module."""

from dataclasses import replace
from pathlib import Path

from qflow.compile.front import front
from qflow.compile.hashes import stage_hashes
from qflow.plan.plan import Decided, Fixed
from qflow.plan.text import render

CASES = Path(__file__).parent.parent / "cases" / "compile"


def test_grids_of_operands_are_in_the_text_and_in_the_hashes() -> None:
    plan = front(CASES / "claims" / "x.qf", {}).plan
    assert plan is not None
    head = next(m for m in plan.modules if m.address == "head")
    assert head.weight is not None
    grid = replace(head.weight, scheme=Decided("per_tensor"), axis=None, source=Fixed(Decided(0.5)))
    modules = tuple(
        replace(m, inputs=(None, grid)) if m.address == "head" else m for m in plan.modules
    )
    other = replace(plan, modules=modules)
    (line,) = (li for li in render(other).splitlines() if li.startswith("  head "))
    assert "input 1 int8 scale 0.5, " in line
    assert "input 0" not in line
    assert dict(stage_hashes(other))["prepare"] != dict(stage_hashes(plan))["prepare"]
