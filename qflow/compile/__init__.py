"""compile: a program, an inventory and settings become a plan. Read PASSES to know what it does."""

from collections.abc import Callable, Mapping

from qflow.compile import (
    any_size,
    assemble,
    calls,
    claims,
    colour,
    data,
    decide,
    exports,
    fuse,
    graph,
    imported_scales,
    legal,
    lower,
    match,
    model,
    modules,
    names,
    operands,
    params,
    prove,
    qconfigs,
    region,
    rulesets,
    scales,
    sensitivities,
    share,
    stages,
    states,
    substitute,
    sweeps,
    tables,
    tail,
    target,
)
from qflow.compile.hashes import traced
from qflow.compile.unit import SensitivitySpec, Unit
from qflow.diagnostics import Diagnostic, sort
from qflow.lang.program import Program
from qflow.lang.sources import DISK, Sources
from qflow.plan.inventory import Inventory
from qflow.plan.plan import DataSpec, GraphSpec, ModelSpec, Plan, TargetSpec
from qflow.records import dataclass

__all__ = ["PASSES", "Compiled", "Outline", "Unit", "compile", "outline", "traced"]

Pass = Callable[[Unit], Unit]

OUTLINE: tuple[Pass, ...] = (
    # What the file says, without the model.
    names.resolve,  # every name points at one definition, no block is missing
    calls.known,  # every selector function is there
    rulesets.expand,  # `apply` becomes the rules of its set
    params.resolve,  # values from the file, then --set, checked against their domain
    sweeps.check,  # no plan depends on one: only judged
    substitute.values,  # from here on there are no params
    model.read,
    target.read,
    data.read,
    graph.read,
    qconfigs.resolve,  # base chains
    sensitivities.read,
    scales.read,
    stages.read,
    exports.read,
    claims.read,
)

PASSES: tuple[Pass, ...] = (
    *OUTLINE,
    # What the rules make of the model.
    region.find,  # between the quant and dequant stubs
    colour.place,  # behind which inputs a camera's colours become the model's
    tables.load,  # sensitivity tables, where they are measured already
    calls.resolve,  # selector functions become addresses
    match.rules,  # every selector becomes addresses; none may be empty
    decide.qconfigs,  # rules top to bottom; every field remembers the rule that set it
    fuse.modules,  # after the decision, so that members can be asked whether they agree
    share.grids,  # operators that only move integers
    tail.accumulators,  # before dtypes: a kept accumulator has no grid
    lower.dtypes,  # what the march does at another dtype
    imported_scales.put,  # tables of other tools, once the bits of every grid are known
    operands.enter,  # floats that quantized operators read
    legal.on_target,  # what the march cannot do
    any_size.check,  # what integers for any image size cannot be
    modules.plans,
    states.schedule,  # nothing is used before it was observed
    prove.claims,
    assemble.plan,
    assemble.exports,  # what an export target cannot hold
)


@dataclass(frozen=True)
class Outline:
    """What a file says without its model; `run` and `lock` trace from it.

    A part is None when `diagnostics` has the error that says why.
    """

    model: ModelSpec | None
    target: TargetSpec | None
    data: tuple[DataSpec, ...]
    graph: GraphSpec
    diagnostics: tuple[Diagnostic, ...]
    sensitivities: tuple[SensitivitySpec, ...] = ()
    tables: tuple[str, ...] = ()
    """Tables that scales are taken from, and their name maps, relative to the file's folder."""


@dataclass(frozen=True)
class Compiled:
    plan: Plan | None
    """None when there is an error."""
    diagnostics: tuple[Diagnostic, ...]
    unit: Unit
    """What the passes found on the way; lint rules read it."""


def outline(program: Program, settings: Mapping[str, str]) -> Outline:
    """The passes that need no inventory. Never raises for what the file says."""
    unit = _run(OUTLINE, Unit(program, settings))
    found = sort(unit.diagnostics)
    tables = sorted({p for s in unit.scales.values() for p in (s.source, s.map_file) if p})
    return Outline(
        unit.model, unit.target, unit.data, unit.graph, found, unit.sensitivities, tuple(tables)
    )


def compile(
    program: Program,
    inventory: Inventory,
    settings: Mapping[str, str],
    sources: Sources = DISK,
) -> Compiled:
    """Every pass; input files are read from `sources`.

    Never raises for what the file says: what is wrong is in `diagnostics`.
    """
    unit = _run(PASSES, Unit(program, settings, inventory, sources=sources))
    diagnostics = sort(unit.diagnostics)
    wrong = any(d.severity == "error" for d in diagnostics)
    return Compiled(None if wrong else unit.plan, diagnostics, unit)


def _run(passes: tuple[Pass, ...], unit: Unit) -> Unit:
    for step in passes:
        if unit.halted:
            return unit
        unit = step(unit)
    return unit
