"""Plans with export blocks, compiled from a text without a model."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from qflow.compile.front import front
from qflow.plan.plan import Decided, ExportPlan, Plan

CASE = Path(__file__).parent.parent / "cases" / "compile" / "exports" / "x.qf"


def with_exports(
    *blocks: tuple[str, str, Any], profile: str = "mul15", dtype: str = "int8"
) -> Plan:
    """A small plan; a block is (target, path, settings)."""
    plan = _plan()
    exports = tuple(ExportPlan(*block) for block in blocks)
    modules = tuple(
        replace(m, act=m.act and replace(m.act, dtype=Decided(dtype))) for m in plan.modules
    )
    target = replace(plan.target, profile=profile)
    return replace(plan, exports=exports, target=target, modules=modules)


@cache
def _plan() -> Plan:
    plan = front(CASE, {}).plan
    assert plan is not None
    return plan
