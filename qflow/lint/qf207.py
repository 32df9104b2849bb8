"""QF207: a budget selector behind a rule by name that it overlaps."""

from collections.abc import Iterable, Iterator

from qflow.compile.region import listed
from qflow.compile.unit import Matched, Unit
from qflow.diagnostics import Diagnostic, Label
from qflow.lang import syntax


class Qf207:
    """What a budget covers changes with every measurement, so it may undo the rule made by hand.

    Anti-pattern:

        match "head.cls"                 use w16a16
        match sensitive(sens, top = 4)   use w8a16

    Best practice: what somebody decided comes last.

        match sensitive(sens, top = 4)   use w8a16
        match "head.cls"                 use w16a16
    """

    def check(self, unit: Unit) -> Iterable[Diagnostic]:
        for place, matched in enumerate(unit.matched):
            if matched.rule.span not in unit.budgets:
                continue
            for earlier, both in _before(place, unit):
                if _by_hand(earlier, unit) and _undoes(matched, earlier, unit):
                    yield Diagnostic(
                        "QF207",
                        "this budget undoes a rule that names its modules",
                        at=matched.rule.span,
                        label="what it covers changes with the table",
                        also=(Label(earlier.rule.span, "made by hand"),),
                        notes=(f"both cover {listed(both)}",),
                        help="move the rule by name behind it",
                        severity="warning",
                    )


def _before(place: int, unit: Unit) -> Iterator[tuple[Matched, list[str]]]:
    """Earlier rules that cover something of this one, in order, each with what both cover."""
    both: dict[int, list[str]] = {}
    for address in unit.matched[place].addresses:
        for earlier in unit.rules_of[address]:
            if earlier < place:
                both.setdefault(earlier, []).append(address)
    for earlier in sorted(both):
        yield unit.matched[earlier], both[earlier]


def _by_hand(matched: Matched, unit: Unit) -> bool:
    rule = matched.rule
    if not isinstance(rule, syntax.MatchRule) or rule.span in unit.budgets:
        return False
    return any(isinstance(atom, syntax.ByName) for atom in rule.selector.atoms)


def _undoes(budget: Matched, hand: Matched, unit: Unit) -> bool:
    """Whether something the earlier rule said is lost; not where QF203 says that all of it is."""
    action, earlier = budget.rule.action, hand.rule.action
    if isinstance(action, syntax.PatchAction) and not isinstance(earlier, syntax.FloatAction):
        named = {f.name for f in action.fields} & {f.name for f in earlier.fields}
        if isinstance(earlier, syntax.PatchAction) and not named:
            return False
    # modules that the same rules decided have one qconfig between them
    each = (unit.decisions[a] for a in hand.addresses if a in unit.decisions)
    decided = {id(fields): fields for fields in each}.values()
    alive = any(d.by == hand.rule.span for fields in decided for d in fields.values())
    return alive or not decided
