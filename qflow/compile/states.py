"""states: per stage the state of every fake-quantized address; nothing is used unobserved."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from qflow.compile import freezes
from qflow.compile.epochs import begin
from qflow.compile.region import DEQUANT, listed
from qflow.compile.select import has_calls, select
from qflow.compile.unit import StageSpec, Unit
from qflow.diagnostics import Diagnostic, Label, Span
from qflow.lang import syntax
from qflow.plan.plan import (
    Freezing,
    ModulePlan,
    Observed,
    Shared,
    StagePlan,
    StateFrom,
)
from qflow.records import dataclass

OBSERVING = ("calibration", "qat")


@dataclass(frozen=True)
class _Set:
    """A state and the statement that set it; no statement: float."""

    state: syntax.StateName = "float"
    by: Span | None = None


def schedule(unit: Unit) -> Unit:
    """Sets `stage_plans`. QF201 a statement without effect, QF222 a split fusion, QF241."""
    if unit.inventory is None:
        return unit
    quantized = {m.address: m for m in unit.modules if _has_quantizer(m)}
    found: list[Diagnostic] = []
    observed = {a for a, m in quantized.items() if not _is_observed(m)}
    plans: list[StagePlan] = []
    for stage in unit.stages:
        frozen = freezes.resolve(unit, stage, quantized)
        found += frozen.found
        parts = _timeline(unit, stage, quantized, found)
        early: dict[Span | None, list[str]] = {}
        for epoch, states in parts:
            held = frozen.scales(epoch)
            for address, state in states.items():
                kept = state.state == "validation" or (state.state == "qat" and address in held)
                if kept and address not in observed:
                    early.setdefault(state.by, []).append(address)
            moved = {a for a, s in states.items() if s.state in OBSERVING and a not in held}
            observed |= moved
        found += _unobserved(unit, stage, early)
        found += _method(stage, parts)
        found += _stateless(stage)
        plans.append(_plan(stage, parts, frozen.freezes))
    if _has_wrong_selector(unit, found):
        # what such a statement was to observe is not known
        found = [d for d in found if d.code != "QF241"]
    # a QF241 names these already; without one no stage ever used them
    elif not any(d.code == "QF241" for d in found):
        found += _never(unit, [a for a in quantized if a not in observed])
    return replace(unit, stage_plans=tuple(plans)).having(found)


def _has_wrong_selector(unit: Unit, found: Iterable[Diagnostic]) -> bool:
    """Whether a `state` covers nothing, or what nobody knows."""
    states = [s.span for stage in unit.stages for s in stage.states]
    wrong = [d.at for d in (*unit.diagnostics, *found) if d.at and d.code in _SELECTORS]
    return any(
        s.path == at.path and s.line <= at.line <= s.end_line for s in states for at in wrong
    )


_SELECTORS = ("QF110", "QF201", "QF204")


def _stateless(stage: StageSpec) -> Iterator[Diagnostic]:
    """A line that was forgotten: whoever wants float can say so."""
    if stage.states or dict(stage.settings).get("method") is not None:
        return
    yield Diagnostic(
        "QF274",
        f"stage `{stage.name}` sets no state, so it leaves everything in float",
        at=stage.span,
        help='write `state "**" = qat`, or `= float` if that is meant',
        severity="warning",
    )


Timeline: TypeAlias = list[tuple[int, dict[str, _Set]]]
"""Epochs in which states change, from 0 on, each with the state of every address."""


def _plan(stage: StageSpec, parts: Timeline, frozen: tuple[Freezing, ...]) -> StagePlan:
    (_, first), *rest = parts
    before, later = first, []
    for epoch, states in rest:
        changed = sorted((a, s) for a, s in states.items() if s.state != before[a].state)
        later += [StateFrom(a, epoch, s.state, s.by) for a, s in changed]
        before = states
    return StagePlan(
        stage.name,
        stage.data,
        stage.epochs,
        tuple(sorted((a, s.state) for a, s in first.items())),
        stage.settings,
        stage.span,
        tuple(later),
        frozen,
        tuple(sorted((a, s.by) for a, s in first.items() if s.by is not None)),
    )


def _has_quantizer(module: ModulePlan) -> bool:
    """Whether a fake-quantizer of its own lives there; a shared grid has that of its owner."""
    own = module.act is not None and not isinstance(module.act.source, Shared)
    return own or module.weight is not None or any(module.inputs)


def _is_observed(module: ModulePlan) -> bool:
    """Whether any scale there comes from an observer."""
    grids = (module.act, module.weight, *module.inputs)
    return any(t is not None and isinstance(t.source, Observed) for t in grids)


def _timeline(
    unit: Unit, stage: StageSpec, quantized: Mapping[str, ModulePlan], found: list[Diagnostic]
) -> Timeline:
    """Statements top to bottom, the last one wins, in each epoch that one of them begins in."""
    assert unit.inventory is not None
    gemms = {f.members[0]: f.at for f in unit.fusions}
    effective = {*quantized, *(g for g, at in gemms.items() if at in quantized)}
    covered: list[tuple[syntax.SetState, tuple[str, ...]]] = []
    for statement in stage.states:
        if has_calls(statement.selector):
            continue
        selection = select(statement.selector, unit.inventory)
        found += selection.unmatched
        if selection.addresses and effective.isdisjoint(selection.addresses):
            found += _no_effect(unit, statement, selection.addresses)
        if begin(statement) < max(stage.epochs, 1):
            covered.append((statement, selection.addresses))
    parts: Timeline = []
    split: dict[str, Diagnostic] = {}
    for epoch in sorted({0, *(begin(s) for s, _ in covered)}):
        states: dict[str, _Set] = {}
        for statement, addresses in covered:
            if begin(statement) <= epoch:
                states.update(dict.fromkeys(addresses, _Set(statement.state, statement.span)))
        for gemm, at in gemms.items():
            for one in _split(stage, gemm, at, states) if at in quantized else ():
                split.setdefault(gemm, one)
        parts.append((epoch, {a: states.get(a, _Set()) for a in quantized}))
    found += split.values()
    return parts


def _no_effect(
    unit: Unit, statement: syntax.SetState, addresses: tuple[str, ...]
) -> Iterator[Diagnostic]:
    # while other errors leave addresses undecided nobody can tell what has an effect
    if any(d.severity == "error" for d in unit.diagnostics):
        return
    if all(a in unit.floats or _dequantizes(unit, a) for a in addresses):
        yield Diagnostic(
            "QF201",
            "this state reaches no fake-quantizer: all it covers is float",
            at=statement.selector.span,
            help="delete the line, or quantize one of these modules",
            severity="warning",
        )
        return
    lives = unit.lives_at
    owners = {a: g[0] for g in unit.groups for a in g[1:]}
    homes = sorted({lives.get(a, owners.get(a, a)) for a in addresses} - {*addresses})
    yield Diagnostic(
        "QF201",
        "this state reaches no fake-quantizer",
        at=statement.selector.span,
        notes=(f"{listed(addresses)} has none of its own",),
        help=f"it belongs to {listed(homes)}: select that" if homes else "delete the line",
    )


def _dequantizes(unit: Unit, address: str) -> bool:
    assert unit.inventory is not None
    return unit.inventory.by_address[address].op == DEQUANT


def _split(
    stage: StageSpec, gemm: str, at: str, states: Mapping[str, _Set]
) -> Iterator[Diagnostic]:
    """A fusion at its add, whose weight is in one state and whose output is in another."""
    weight, output = states.get(gemm, _Set()), states.get(at, _Set())
    if weight.state == output.state:
        return
    where = weight.by or output.by or stage.span
    other = output.by if weight.by else None
    yield Diagnostic(
        "QF222",
        f"`{gemm}` and `{at}` run as one, but stage `{stage.name}` puts them in different states",
        at=where,
        label=f"{gemm}: {weight.state}" if weight.by else f"{at}: {output.state}",
        also=(Label(other, f"{at}: {output.state}"),) if other else (),
        help="let the statement select both",
    )


def _method(stage: StageSpec, parts: Timeline) -> Iterator[Diagnostic]:
    """A method observes nothing, and works on what is rounded."""
    if all(name != "method" for name, _ in stage.settings):
        return
    (_, states), *_ = parts
    for observing in sorted({s.state for s in states.values()} & set(OBSERVING)):
        by = next(s.by for s in states.values() if s.state == observing)
        yield Diagnostic(
            "QF111",
            f"`{observing}` has no meaning in a stage with a `method`, which observes nothing",
            at=by or stage.span,
            help="write `validation`, or `float` for what is not to be rounded",
        )
    if states and all(s.state == "float" for s in states.values()):
        yield Diagnostic(
            "QF273",
            f"nothing is rounded in stage `{stage.name}`, so its method has nothing to work on",
            at=stage.span,
            help='write `state "**" = validation` into it',
        )


def _unobserved(
    unit: Unit, stage: StageSpec, early: Mapping[Span | None, list[str]]
) -> Iterator[Diagnostic]:
    """QF241, one per statement."""
    for span, addresses in early.items():
        yield Diagnostic(
            "QF241",
            f"stage `{stage.name}` uses scales that no stage before it observed",
            at=span or stage.span,
            notes=(f"unobserved are {listed(tuple(dict.fromkeys(addresses)))}", *_skipped(unit)),
            help='put a stage with `state "**" = calibration` before it',
        )


def _never(unit: Unit, addresses: list[str]) -> Iterator[Diagnostic]:
    """Scales that the integer model needs and no stage observes."""
    if not addresses or not unit.program.schedules:
        return
    yield Diagnostic(
        "QF241",
        "the integer model needs scales that no stage observes",
        at=unit.program.schedules[0].span,
        notes=(f"unobserved are {listed(addresses)}", *_skipped(unit)),
        help='add a stage with `state "**" = calibration`',
    )


def _skipped(unit: Unit) -> tuple[str, ...]:
    return tuple(f"stage `{name}` is skipped: it has 0 epochs" for name in unit.skipped)
