"""decide: the rules, top to bottom, give every address its qconfig; fields remember their rule."""

from collections.abc import Iterator
from dataclasses import replace

from qflow.compile.kept_whole import leaves
from qflow.compile.qfields import SCALES, overlay, problems, written
from qflow.compile.region import listed
from qflow.compile.unit import Fields, Matched, Unit
from qflow.diagnostics import Diagnostic, Label, Span
from qflow.lang import syntax
from qflow.plan.plan import Decided

FLOAT = "float32"
LEAF = "a `leaf` keeps it whole"
OUTSIDE = "it lies outside of the stubs"
UNDECIDED = "no rule decides it"
_KEEPS = (syntax.PatchAction, syntax.ScalesAction)
"""Actions that change a qconfig there is."""


def qconfigs(unit: Unit) -> Unit:
    """Sets `decisions` and `floats`: `use` replaces all, `patch` changes what it names, `float`
    clears. QF115 a `patch` of nothing, QF275 what no rule decides.

    An address that a wrong rule touches is in neither of them.
    """
    decided: dict[str, Fields] = {}
    wrong: set[str] = set()
    found: list[Diagnostic] = []
    region = set(unit.region) - unit.outside
    kept = _kept_whole(unit) - unit.outside
    # a leaf begins as float, and `default` is no rule that speaks of it
    floats = {a: Decided(FLOAT, why=LEAF) for a in unit.region if a in kept}
    floats |= {a: Decided(FLOAT, why=OUTSIDE) for a in unit.region if a in unit.outside}
    for matched in unit.matched:
        touched = [a for a in matched.addresses if a in region]
        action = matched.rule.action
        if isinstance(action, syntax.FloatAction):
            for address in touched:
                if not _dequant(unit, address):
                    floats[address] = Decided(FLOAT, by=matched.rule.span)
                    decided.pop(address, None)
                    wrong.discard(address)
            continue
        if isinstance(matched.rule, syntax.DefaultRule) and kept:
            touched = [a for a in touched if a not in kept]
        if isinstance(action, _KEEPS) and floats:
            floating = [a for a in touched if a in floats]
            touched = [a for a in touched if a not in floats]
            found += _patched_float(matched, floating, floats) if not touched else ()
        changes, broken = _changes(matched)
        found += broken
        # addresses with one qconfig before a rule have one behind it
        new = [a for a in touched if a not in decided and a not in wrong]
        early = [a for a in new if not _dequant(unit, a)]
        if isinstance(action, _KEEPS) and early:
            found.append(_nothing_to_patch(matched, early))
        done: dict[int, tuple[Fields | None, list[Diagnostic]]] = {}
        for address in touched:
            before = decided.get(address)
            if id(before) not in done:
                done[id(before)] = _apply(matched, changes, before, unit)
            after, mistakes = done[id(before)]
            found += mistakes
            floats.pop(address, None)
            if after is None or broken:
                wrong.add(address)
                decided.pop(address, None)
                continue
            if isinstance(action, syntax.UseAction):
                wrong.discard(address)
            decided[address] = after
    left = _undecided(unit, decided, wrong, floats)
    found += _warned(unit, left)
    floats.update(dict.fromkeys(left, Decided(FLOAT, why=UNDECIDED)))
    clear = {a: f for a, f in decided.items() if a not in wrong}
    return replace(unit, decisions=clear, floats=floats).having(found)


def _kept_whole(unit: Unit) -> frozenset[str]:
    if unit.inventory is None:
        return frozenset()
    return leaves(unit.graph, unit.inventory.inner)


def _changes(matched: Matched) -> tuple[Fields, list[Diagnostic]]:
    """The fields a rule itself names, without those that are wrong taken alone."""
    action = matched.rule.action
    assert not isinstance(action, syntax.FloatAction)
    if isinstance(action, syntax.ScalesAction):
        return {SCALES: Decided(action.source.value, by=matched.rule.span)}, []
    values, found = written(action.fields)
    return {name: Decided(v, by=matched.rule.span) for name, v in values.items()}, found


def _apply(
    matched: Matched, changes: Fields, before: Fields | None, unit: Unit
) -> tuple[Fields | None, list[Diagnostic]]:
    """The qconfig of one address after one rule; None when nothing sound comes out."""
    action = matched.rule.action
    assert not isinstance(action, syntax.FloatAction)
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


def _word(matched: Matched) -> str:
    return "scales" if isinstance(matched.rule.action, syntax.ScalesAction) else "patch"


def _nothing_to_patch(matched: Matched, addresses: list[str]) -> Diagnostic:
    return Diagnostic(
        "QF115",
        f"`{_word(matched)}` changes a qconfig, and no rule above gives these modules one",
        at=matched.rule.span,
        notes=(f"without one are {listed(addresses)}",),
        help="begin with `default use w8a8`",
    )


def _patched_float(
    matched: Matched, floating: list[str], floats: dict[str, Decided]
) -> Iterator[Diagnostic]:
    """A `patch` that reaches modules without a qconfig only; beside others it leaves them float."""
    if not floating:
        return
    first = floats[floating[0]]
    yield Diagnostic(
        "QF115",
        f"`{_word(matched)}` changes a qconfig, and all these modules are float",
        at=matched.rule.span,
        also=(Label(first.by, "this rule leaves them float"),) if first.by else (),
        notes=(f"float are {listed(floating)}", *((first.why,) if first.why else ())),
        help="write `use NAME with { ... }` to quantize them, or delete the line",
    )


def _undecided(
    unit: Unit, decided: dict[str, Fields], wrong: set[str], floats: dict[str, Decided]
) -> list[str]:
    """Modules no rule speaks of."""
    if not unit.program.quantizes or _has_default(unit):
        return []
    taken = {*decided, *wrong, *floats}
    return [a for a in unit.region if a not in taken and not _dequant(unit, a)]


def _warned(unit: Unit, left: list[str]) -> Iterator[Diagnostic]:
    if left:
        yield Diagnostic(
            "QF275",
            "no rule decides these modules, so they stay float",
            at=unit.program.quantizes[0].span,
            notes=(f"undecided are {listed(left)}",),
            help="begin with `default use w8a8`, or with `default float` if that is meant",
            severity="warning",
        )


def _dequant(unit: Unit, address: str) -> bool:
    return unit.inventory is not None and unit.inventory.by_address[address].op == "dequant"


def _has_default(unit: Unit) -> bool:
    return any(isinstance(m.rule, syntax.DefaultRule) for m in unit.matched)
