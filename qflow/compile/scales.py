"""scales: `scales from "file"`: what a rule asks for, judged before any table is read."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from qflow.compile import facts
from qflow.compile.unit import ScalesSpec, Unit
from qflow.compile.values import WORD, Reader, describe, unknown
from qflow.diagnostics import Diagnostic, Span
from qflow.lang import syntax
from qflow.tables.globs import GlobPair
from qflow.tables.name_map import NameMap
from qflow.tables.reading import FORMATS

MISSING = ("error", "observe")
AMBIGUOUS = ("error", "first")
POSITION = "position"
_MAPS = f"a path in quotes, `{POSITION}`, or a list of [address, name]"


def read(unit: Unit) -> Unit:
    """Sets `scales`: what each such rule asks for, by the rule's place."""
    specs: dict[Span, ScalesSpec] = {}
    found: list[Diagnostic] = []
    for rule in _rules(unit):
        action = rule.action
        if not isinstance(action, syntax.ScalesAction):
            continue
        fields = Reader("`scales from`", action.span, action.fields)
        spec = _spec(action, rule.span, fields)
        findings = (*fields.findings(), *_source(action))
        found += findings
        if not findings:
            specs[rule.span] = spec
    return replace(unit, scales=specs).having(found)


def _rules(unit: Unit) -> Iterator[syntax.DefaultRule | syntax.MatchRule]:
    for rule in (r for q in unit.program.quantizes[:1] for r in q.rules):
        if not isinstance(rule, syntax.ApplyRule):
            yield rule


def _source(action: syntax.ScalesAction) -> Iterator[Diagnostic]:
    if not isinstance(action.source, syntax.String):
        message = f"a table is named by its path, and `{action.source.value}` is no param"
        help_ = f'write it in quotes: `scales from "{action.source.value}"`'
        yield Diagnostic("QF113", message, at=action.source.span, help=help_)


def _spec(action: syntax.ScalesAction, at: Span, fields: Reader) -> ScalesSpec:
    format_ = fields.optional("format", WORD) or ""
    known = facts.known(FORMATS)
    if format_ and format_ not in known:
        fields.add(unknown("format of tables", format_, known, fields.span("format")))
    missing = fields.one_of("missing", MISSING, MISSING[0])
    ambiguous = fields.one_of("ambiguous", AMBIGUOUS, AMBIGUOUS[0])
    names, file = _map(fields)
    return ScalesSpec(
        source=action.source.value,
        format=format_,
        names=names,
        map_file=file,
        observes=missing == MISSING[1],
        takes_first=ambiguous == AMBIGUOUS[1],
        at=at,
        source_at=action.source.span,
        map_at=fields.span("map"),
    )


def _map(fields: Reader) -> tuple[NameMap | None, str]:
    """The map that stands in the program, or the path of one."""
    given = fields.value("map")
    match given:
        case None:
            return None, ""
        case syntax.String(value=path):
            return None, path
        case syntax.Name(value=word) if word == POSITION:
            return NameMap(by_position=True), ""
        case syntax.List(items=items):
            pairs = tuple(_pair(item, fields) for item in items)
            return NameMap(tuple(p for p in pairs if p is not None)), ""
    message = f"`map` is {_MAPS}, not {describe(given)}"
    fields.add(Diagnostic("QF113", message, at=given.span))
    return None, ""


def _pair(item: syntax.Value, fields: Reader) -> GlobPair | None:
    words: Sequence[syntax.Value] = item.items if isinstance(item, syntax.List) else ()
    texts = [w.value for w in words if isinstance(w, syntax.String)]
    if len(words) != 2 or len(texts) != 2:
        message = f"a pair of `map` is two texts, not {describe(item)}"
        help_ = 'write `map = [["stem.*", "stem_*_Conv"], ["head", "fc"]]`'
        fields.add(Diagnostic("QF113", message, at=item.span, help=help_))
        return None
    found = GlobPair(*texts)
    if found.problem:
        fields.add(Diagnostic("QF333", f"this pair maps nothing: {found.problem}", at=item.span))
        return None
    return found
