"""json: versioned, deterministic, complete."""

import json
from dataclasses import fields
from pathlib import Path

from qflow.compile.front import front
from qflow.plan.json import dumps
from qflow.plan.plan import FORMAT_VERSION, Plan

CASES = Path(__file__).parent.parent / "cases" / "compile"


def test_every_field_of_the_plan_is_there() -> None:
    plan = front(CASES / "claims" / "x.qf", {}).plan
    assert plan is not None
    text = dumps(plan)
    assert text == dumps(plan)
    assert text.endswith("}\n")
    read = json.loads(text)
    assert set(read) == {f.name for f in fields(Plan)} - {"folder"}
    assert read["format_version"] == FORMAT_VERSION
    modules = {m["address"]: m for m in read["modules"]}
    assert modules["stem.conv"]["act"]["source"]["kind"] == "observed"
    assert modules["pool"]["act"]["source"] == {
        "kind": "shared",
        "owner": "stem.conv",
        "why": "max_pool2d keeps the grid of its input",
    }
    assert modules["head"]["out"] == {"by": None, "value": "int32", "why": "nash-m: tail"}
    assert read["claims"][0]["proved"] is True


def test_a_span_has_the_index_of_its_file() -> None:
    plan = front(CASES / "fixed_scale" / "x.qf", {}).plan
    assert plan is not None
    read = json.loads(dumps(plan))
    quant = next(m for m in read["modules"] if m["address"] == "quant")
    assert quant["act"]["source"]["kind"] == "fixed"
    assert quant["act"]["source"]["scale"]["by"][:2] == [0, 16]
    assert read["files"] == ["x.qf"]
    assert "x.qf:" not in dumps(plan)
