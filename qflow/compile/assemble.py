"""assemble: the plan, once nothing is wrong any more; and what each export target says of it."""

from collections.abc import Iterator
from dataclasses import fields, replace

from qflow import registry
from qflow.compile import facts
from qflow.compile.hashes import stage_hashes
from qflow.compile.unit import Unit
from qflow.diagnostics import Diagnostic, has_errors
from qflow.lang import syntax
from qflow.lang.program import Program
from qflow.plan.places import files_of, folder_of
from qflow.plan.plan import Plan


def plan(unit: Unit) -> Unit:
    """Sets `plan`, unless there is an error."""
    if unit.inventory is None or has_errors(unit.diagnostics):
        return unit
    return replace(unit, plan=whole(unit))


def whole(unit: Unit) -> Plan:
    """The plan of what was found, errors or not; model and target are known."""
    assert unit.model is not None
    assert unit.target is not None
    found = Plan(
        path=unit.program.path.rpartition("/")[2],
        files=files_of(unit.program.path, set(_paths(unit.program))),
        folder=folder_of(unit.program.path),
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
    return replace(found, hashes=stage_hashes(found))


def _paths(part: object) -> Iterator[str]:
    """The file of everything a program is made of: what an import brings stands among the rest."""
    if isinstance(part, tuple):
        for item in part:
            yield from _paths(item)
    elif isinstance(part, (Program, syntax.Node)):
        yield part.span.path
        for own in fields(part):
            yield from _paths(getattr(part, own.name))


def exports(unit: Unit) -> Unit:
    """What a target cannot hold of this plan, found before any work is done."""
    if unit.plan is None:
        return unit
    found: list[Diagnostic] = []
    for export in unit.plan.exports:
        if export.target in facts.known("export"):
            found += registry.load("export", export.target)().check(export, unit.plan)
    return unit.having(found)
