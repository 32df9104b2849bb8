"""Plans with what only some programs have come back from their text as they were."""

from pathlib import Path

import pytest

from qflow.compile.front import front
from qflow.plan import json as plan_json
from qflow.plan.reader import loads

CASES = Path(__file__).parent.parent / "cases" / "compile"


@pytest.mark.parametrize("name", ["claims_measured", "imports", "leaves"])
def test_a_plan_comes_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / name)
    plan = front(Path("x.qf"), {}).plan
    assert plan is not None
    assert loads(plan_json.dumps(plan)) == plan
