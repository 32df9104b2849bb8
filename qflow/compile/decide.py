"""decide: the rules, top to bottom, give every address its qconfig; fields remember their rule."""

from collections.abc import Iterator
from dataclasses import replace

from qflow.compile.qfields import overlay, problems, written
from qflow.compile.region import listed
from qflow.compile.unit import Fields, Matched, Unit
from qflow.diagnostics import Diagnostic, Span
from qflow.lang import syntax
from qflow.plan.plan import Decided


def qconfigs(unit: Unit) -> Unit:
    """Sets `decisions`: `use` replaces all, `patch` changes what it names, `float` clears.

    An address that a wrong rule touches, or that stays float, is left out.
    """
    decided: dict[str, Fields] = {}
    wrong: set[str] = set()
    found: list[Diagnostic] = []
    region = set(unit.region)
    for matched in unit.matched:
        touched = [a for a in matched.addresses if a in region]
        changes, broken = _changes(matched)
        found += broken
        # addresses with one qconfig before a rule have one behind it
        new = [a for a in touched if a not in decided and a not in wrong]
        early = [a for a in new if not _dequant(unit, a)]
        if isinstance(matched.rule.action, syntax.PatchAction) and early:
            found.append(_nothing_to_patch(matched, early))
        done: dict[int, tuple[Fields | None, list[Diagnostic]]] = {}
        for address in touched:
            before = decided.get(address)
            if id(before) not in done:
                done[id(before)] = _apply(matched, changes, before, unit)
            after, mistakes = done[id(before)]
            found += mistakes
            if after is None or broken:
                wrong.add(address)
                decided.pop(address, None)
                continue
            if isinstance(matched.rule.action, syntax.UseAction):
                wrong.discard(address)
            decided[address] = after
    found += _undecided(unit, decided, wrong)
    kept = {a: f for a, f in decided.items() if a not in wrong}
    return replace(unit, decisions=kept).having(found)


def _changes(matched: Matched) -> tuple[Fields, list[Diagnostic]]:
    """The fields a rule itself names, without those that are wrong taken alone."""
    action = matched.rule.action
    if isinstance(action, syntax.FloatAction):
        return {}, []
    values, found = written(action.fields)
    return {name: Decided(v, by=matched.rule.span) for name, v in values.items()}, found


def _apply(
    matched: Matched, changes: Fields, before: Fields | None, unit: Unit
) -> tuple[Fields | None, list[Diagnostic]]:
    """The qconfig of one address after one rule; None when nothing sound comes out."""
    action = matched.rule.action
    if isinstance(action, syntax.FloatAction):
        return None, []
    if isinstance(action, syntax.UseAction):
        base = unit.qconfigs.get(action.qconfig)
        if base is None:
            return None, []
        before = _by(base, matched.rule.span, action.qconfig)
    if before is None:
        return None, []
    after = overlay(before, changes)
    places = {f.name: f.value.span for f in action.fields}
    mistakes = [
        p.at(places.get(p.field, matched.rule.span))
        for p in problems({name: d.value for name, d in after.items()})
    ]
    return (None if mistakes else after), mistakes


def _by(base: Fields, rule: Span, name: str) -> Fields:
    """A qconfig as one rule uses it."""
    return {
        field: replace(decided, by=rule, why=f"qconfig {name}") for field, decided in base.items()
    }


def _nothing_to_patch(matched: Matched, addresses: list[str]) -> Diagnostic:
    return Diagnostic(
        "QF115",
        "`patch` changes a qconfig, and no rule above gives these modules one",
        at=matched.rule.span,
        notes=(f"without one are {listed(addresses)}",),
        help="begin with `default use w8a8`",
    )


def _undecided(unit: Unit, decided: dict[str, Fields], wrong: set[str]) -> Iterator[Diagnostic]:
    """Modules no rule speaks of would be float islands."""
    left = [a for a in unit.region if a not in decided and a not in wrong and not _dequant(unit, a)]
    if not left or not unit.program.quantizes or _has_default(unit):
        return
    yield Diagnostic(
        "QF120",
        "modules that no rule decides stay float, which is not supported yet",
        at=unit.program.quantizes[0].span,
        notes=(f"undecided are {listed(left)}",),
        help="begin with `default use w8a8`",
    )


def _dequant(unit: Unit, address: str) -> bool:
    return unit.inventory is not None and unit.inventory.by_address[address].op == "dequant"


def _has_default(unit: Unit) -> bool:
    return any(isinstance(m.rule, syntax.DefaultRule) for m in unit.matched)
