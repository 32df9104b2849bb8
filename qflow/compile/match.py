"""match: every rule of `quantize` becomes the addresses it covers."""

from collections.abc import Iterator
from dataclasses import replace

from qflow.compile.select import Selection, has_calls, select
from qflow.compile.unit import Matched, Unit
from qflow.diagnostics import Diagnostic, Label
from qflow.lang import syntax
from qflow.plan.inventory import Inventory

_OPTIONAL = "write `optional` after the selector if this rule is meant for other models too"


def rules(unit: Unit) -> Unit:
    """Sets `matched`. QF201 nothing matched, QF202 another number, QF210 default not first."""
    if unit.inventory is None:
        return unit
    matched: list[Matched] = []
    found: list[Diagnostic] = []
    written = [r for q in unit.program.quantizes[:1] for r in q.rules]
    for rule in written:
        match rule:
            case syntax.DefaultRule():
                found += _default(rule, written)
                matched.append(Matched(rule, _everything(unit.inventory)))
            case syntax.MatchRule():
                selection = select(rule.selector, unit.inventory, _OPTIONAL)
                found += _problems(rule, selection)
                matched.append(Matched(rule, selection.addresses))
    return replace(unit, matched=tuple(matched)).having(found)


def _everything(inventory: Inventory) -> tuple[str, ...]:
    return inventory.index.addresses


def _default(rule: syntax.DefaultRule, written: list[syntax.Rule]) -> Iterator[Diagnostic]:
    if rule is written[0]:
        return
    first = written[0]
    yield Diagnostic(
        "QF210",
        "`default` must be the first rule",
        at=rule.span,
        label="it would undo every rule above it",
        also=(Label(first.span, "this rule comes before it"),),
    )


def _problems(rule: syntax.MatchRule, selection: Selection) -> Iterator[Diagnostic]:
    if has_calls(rule.selector):
        return
    if not rule.optional:
        yield from selection.unmatched
    count = len(selection.addresses)
    # a part that covers nothing explains a wrong number already
    if rule.expect is None or count == rule.expect or selection.unmatched:
        return
    shown = ", ".join(f"`{a}`" for a in selection.addresses[:6])
    more = f" and {count - 6} more" if count > 6 else ""
    yield Diagnostic(
        "QF202",
        f"this rule matches {count} module{'s' if count != 1 else ''}, not {rule.expect}",
        at=rule.selector.span,
        notes=(f"it matches {shown}{more}",),
        help=f"write `expect {count}` if that is right",
    )
