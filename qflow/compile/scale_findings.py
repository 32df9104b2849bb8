"""scale_findings: what is said of tables of scales, one finding per rule and kind."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from qflow.compile.qfields import SCALES
from qflow.compile.region import listed
from qflow.compile.unit import Fields, ScalesSpec, Unit
from qflow.diagnostics import Diagnostic, Label, Severity, Span
from qflow.tables.pairing import Pair
from qflow.tables.report import Import


def asked_by(fields: Fields) -> Span:
    """The rule that takes the scale of such a qconfig from a table."""
    span = fields[SCALES].by
    assert span is not None, "a rule asks for scales"
    return span


def idle(unit: Unit, spec: ScalesSpec) -> Iterator[Diagnostic]:
    """QF335 for a rule that decides modules, none of which has a grid of its own."""
    if not any(SCALES in f and asked_by(f) == spec.at for f in unit.decisions.values()):
        # later rules override it everywhere, which is QF203
        return
    yield Diagnostic(
        "QF335",
        "nothing this rule covers has a scale of its own",
        at=spec.at,
        notes=("an accumulator that is kept has none, and a grid that is shared is its owner's",),
        help="delete it, or select the modules whose outputs lie on a grid",
        severity="warning",
    )


def of(spec: ScalesSpec, made: Import) -> Iterator[Diagnostic]:
    """One finding per kind and rule, with every tensor it is about."""
    lacking = [t.pair for t in made.taken if t.pair.status == "missing"]
    twice = [t.pair for t in made.taken if t.pair.status == "ambiguous"]
    refused = [t for t in made.taken if t.refused]
    allowed: Severity = "note" if spec.observes else "error"
    help_ = "" if spec.observes else "name them with `map = ...`, or write `missing = observe`"
    if lacking:
        yield Diagnostic(
            "QF331",
            f"`{spec.source}` has no scale of {listed([p.address for p in lacking])}",
            at=spec.at,
            notes=tuple(_lacks(p) for p in lacking[:4] if p.note or p.names),
            help=help_,
            severity=allowed,
        )
    if twice:
        first = twice[0]
        yield Diagnostic(
            "QF332",
            f"`{spec.source}` has several scales of {listed([p.address for p in twice])}",
            at=spec.at,
            notes=(f"`{first.address}` may be {' or '.join(f'`{n}`' for n in first.names[:4])}",),
            help="name one with `map = ...`, or write `ambiguous = first`",
        )
    if refused:
        yield Diagnostic(
            "QF334",
            f"scales of `{spec.source}` do not go with the grids of "
            f"{listed([t.pair.address for t in refused])}",
            at=spec.at,
            notes=tuple(f"`{t.pair.address}`: {t.refused}" for t in refused[:4]),
            help=""
            if spec.observes
            else "leave them out of the rule, or write `missing = observe`",
            severity=allowed,
        )


def _lacks(found: Pair) -> str:
    if found.note:
        return f"`{found.address}`: {found.note}"
    return f"`{found.address}` looks like {' and '.join(f'`{n}`' for n in found.names)}"


def strangers(unit: Unit, owners: Mapping[str, str]) -> Iterator[Diagnostic]:
    """QF224: members of a shared grid for which a rule asks a table, and not for its owner."""
    covered = {m.rule.span: frozenset(m.addresses) for m in unit.matched}
    by_rule: dict[tuple[Span, str], list[str]] = defaultdict(list)
    for address, owner in owners.items():
        mine = unit.running.get(address, {})
        # where the rule covers the owner too, a later one decided that deliberately
        if SCALES in mine and owner not in covered[asked_by(mine)]:
            by_rule[asked_by(mine), owner].append(address)
    for (span, owner), addresses in by_rule.items():
        theirs = unit.running.get(owner, {})
        decided = theirs.get("act.observer")
        place = decided.by if decided is not None else None
        yield Diagnostic(
            "QF224",
            f"{listed(addresses)} lies on the grid of `{owner}`, which takes its scale elsewhere",
            at=span,
            also=(Label(place, f"decides `{owner}`"),) if place else (),
            help=f"let the rule select `{owner}` as well",
        )
