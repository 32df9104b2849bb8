"""assemble: the plan, once nothing is wrong any more; and what each export target says of it."""

from dataclasses import replace

from qflow import registry
from qflow.compile import facts
from qflow.compile.hashes import stage_hashes
from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic, has_errors
from qflow.plan.plan import Plan


def plan(unit: Unit) -> Unit:
    """Sets `plan`, unless there is an error."""
    if unit.inventory is None or has_errors(unit.diagnostics):
        return unit
    assert unit.model is not None
    assert unit.target is not None
    whole = Plan(
        path=unit.program.path.rpartition("/")[2],
        edition=unit.program.edition,
        params=unit.params,
        model=unit.model,
        target=unit.target,
        data=unit.data,
        graph=unit.graph,
        modules=unit.modules,
        fusions=unit.fusions,
        stages=unit.stage_plans,
        claims=unit.claims,
        exports=unit.exports,
        hashes=(),
        skipped=unit.skipped,
    )
    return replace(unit, plan=replace(whole, hashes=stage_hashes(whole)))


def exports(unit: Unit) -> Unit:
    """What a target cannot hold of this plan, found before any work is done."""
    if unit.plan is None:
        return unit
    found: list[Diagnostic] = []
    for export in unit.plan.exports:
        if export.target in facts.known("export"):
            found += registry.load("export", export.target)().check(export, unit.plan)
    return unit.having(found)
