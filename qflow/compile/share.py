"""share: scale groups: operators that only move integers stay on one grid, so dtypes must agree."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from qflow.compile.learning import PLAIN
from qflow.compile.qfields import FIXED
from qflow.compile.region import DEQUANT, listed
from qflow.compile.unit import Fields, Unit
from qflow.diagnostics import Diagnostic, Label, Span
from qflow.plan import op_facts, show
from qflow.plan.plan import Scalar
from qflow.plan.sharing import groups

_UNSET: Mapping[str, Scalar] = {"act.fake_quant": PLAIN, "act.fix_scale": False}
"""Fields a qconfig may leave out, and what they are then."""


def grids(unit: Unit) -> Unit:
    """Sets `groups`. QF224 for a member whose dtype or given scale is not that of the group."""
    if unit.inventory is None:
        return unit
    region = {a for a in unit.region if unit.inventory.by_address[a].op != DEQUANT}
    found = [
        tuple(a for a in group if a in region)
        for group in groups(unit.inventory, unit.fusions, op_facts.shares_scale, unit.floats.keys())
    ]
    unit = replace(unit, groups=tuple(g for g in found if len(g) > 1))
    return unit.having(_problems(unit))


def _problems(unit: Unit) -> Iterator[Diagnostic]:
    """One finding per pair of rules and field."""
    pairs: dict[tuple[Span | None, Span | None, str, Scalar, Scalar], list[tuple[str, str]]] = {}
    for owner, *members in unit.groups:
        own = unit.running.get(owner)
        for member in members:
            fields = unit.running.get(member)
            if own is None or fields is None:
                continue
            for name in _differing(fields, own):
                mine = fields[name]
                observer = own["act.observer"]
                unset = replace(observer, value=_UNSET.get(name, observer.value))
                theirs = own.get(name, unset)
                key = (mine.by, theirs.by, name, mine.value, theirs.value)
                pairs.setdefault(key, []).append((member, owner))
    for (mine_by, their_by, name, mine_value, their_value), places in pairs.items():
        member, owner = places[0]
        yield Diagnostic(
            "QF224",
            f"`{member}` lies on the grid of `{owner}`, but their `{name}` differ",
            at=mine_by,
            label=f"{member}: {show.scalar(mine_value)}",
            also=(Label(their_by, f"{owner}: {show.scalar(their_value)}"),) if their_by else (),
            notes=(f"the same for {listed([m for m, _ in places[1:]])}",) if places[1:] else (),
            help=f"set it at `{owner}`, or at both",
        )


def _differing(fields: Fields, own: Fields) -> Iterator[str]:
    """Fields of a member that would be lost. Not its observer: the owner's sees the same."""
    if fields["act.dtype"].value != own["act.dtype"].value:
        yield "act.dtype"
    for name, unset in _UNSET.items():
        asked, theirs = fields.get(name), own.get(name)
        if asked is None or asked.value == unset:
            continue
        if theirs is None or theirs.value != asked.value:
            yield name
    if fields["act.observer"].value != FIXED:
        return
    for name in ("act.scale", "act.threshold"):
        given, theirs = fields.get(name), own.get(name)
        if given is not None and (theirs is None or theirs.value != given.value):
            yield name
