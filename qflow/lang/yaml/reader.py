"""reader: a YAML document to the syntax tree that a .qf file saying the same gives."""

from collections.abc import Callable
from typing import TypeVar, get_args

from qflow.diagnostics import Diagnostic, Span, sort
from qflow.lang import syntax
from qflow.lang.brackets import Places
from qflow.lang.parse import EDITION, Parsed
from qflow.lang.source import normalize
from qflow.lang.yaml import items, rules, stages
from qflow.lang.yaml.composer import Refused, compose
from qflow.lang.yaml.keys import Findings, Keys
from qflow.lang.yaml.nodes import Mapping, Node, Scalar

BLOCKS = get_args(syntax.BlockKind)
KEYS = (
    "qflow", "use", "params", *BLOCKS, "graph", "rule_sets", "order", "quantize", "schedule",
    "check", "sweep",
)  # fmt: skip
"""Of the document, in the order they are written."""
Item = TypeVar("Item", bound=syntax.Item)
EDITION_HELP = f"write `qflow: {EDITION}` as the first line"


def parse(text: str, path: str) -> Parsed:
    """Parse a whole YAML file; never raises for what the text says. `path` is what spans show."""
    text = normalize(text)
    places = Places(text)
    try:
        root, found = compose(text, path)
    except Refused as refused:
        nothing = syntax.File(EDITION, (), span=places.span(path, 0, len(text)))
        return Parsed(None, (refused.diagnostic,), nothing)
    whole = places.span(path, 0, len(text))
    return from_node(root, whole, found)


def from_node(root: Node | None, whole: Span, found: list[Diagnostic] | None = None) -> Parsed:
    """As `parse`, from nodes, which may come from several files; `whole` is the file's span."""
    findings = Findings()
    findings.add(*(found or ()))
    if not isinstance(root, Mapping):
        start = Span(whole.path, 1, 1, 1, 1)
        if root is None or (isinstance(root, Scalar) and not root.text):
            findings.add(_no_edition(start))
        else:
            findings.wrong(root, "a mapping", EDITION_HELP)
        return Parsed(None, sort(findings.all), syntax.File(EDITION, (), span=whole))
    file = _file(root, whole, findings)
    if findings.all:
        return Parsed(None, sort(findings.all), file)
    return Parsed(file, (), file)


def _no_edition(at: Span) -> Diagnostic:
    message = "the file does not say which edition of the language it is written in"
    return Diagnostic("QF106", message, at=at, help=EDITION_HELP)


def _file(root: Mapping, whole: Span, findings: Findings) -> syntax.File:
    keys = Keys(root, "a program", findings)
    if not _edition(keys, findings):
        return syntax.File(EDITION, (), span=whole)
    _composed(root, findings)
    keys.has("defaults")
    found: list[syntax.Item] = []
    used = keys.node("use")
    found += items.uses(used, findings) if used is not None else ()
    found += _named(keys, "params", items.params, findings)
    for kind in BLOCKS:
        given = keys.mapping(kind)
        found += items.blocks(kind, given, findings) if given else ()
    if keys.has("graph"):
        statements = stages.graph(keys.list("graph"), findings)
        found.append(syntax.Graph(statements, span=_at(keys, "graph")))
    found += _named(keys, "rule_sets", items.rule_sets, findings)
    found += _quantize(keys, findings)
    if keys.has("schedule"):
        all_stages = stages.schedule(keys.list("schedule"), findings)
        found.append(syntax.Schedule(all_stages, span=_at(keys, "schedule")))
    if keys.has("check"):
        claims = stages.check(keys.list("check"), findings)
        found.append(syntax.Check(claims, span=_at(keys, "check")))
    found += _named(keys, "sweep", items.sweeps, findings)
    keys.done()
    return syntax.File(EDITION, tuple(found), span=whole)


def _named(
    keys: Keys,
    key: str,
    read: Callable[[Mapping, Findings], tuple[Item, ...]],
    findings: Findings,
) -> tuple[Item, ...]:
    given = keys.mapping(key)
    return read(given, findings) if given else ()


def _at(keys: Keys, key: str) -> Span:
    """From the key to the end of what it holds."""
    start, node = keys.key_span(key), keys.node(key)
    end = node.span if node is not None else start
    if end.path != start.path:
        return start
    return Span(start.path, start.line, start.column, end.end_line, end.end_column)


def _edition(keys: Keys, findings: Findings) -> bool:
    """Whether this is a program of an edition that is known."""
    given = keys.node("qflow")
    if given is None:
        start = Span(keys.span.path, keys.span.line, keys.span.column, keys.span.line, 1)
        findings.add(_no_edition(start))
        return False
    if isinstance(given, Scalar) and given.text == str(EDITION) and not given.quoted:
        return True
    shown = given.text if isinstance(given, Scalar) else "this"
    message = f"this version of qflow does not know edition {shown}"
    findings.add(Diagnostic("QF106", message, at=given.span, help=f"it knows edition {EDITION}"))
    return False


def _composed(root: Mapping, findings: Findings) -> None:
    """QF146 for a file that only Hydra can read."""
    for key, _ in root.entries:
        if key.text == "defaults":
            findings.add(
                Diagnostic(
                    "QF146",
                    "this file is composed of others, and is no program by itself",
                    at=key.span,
                    help="run `python -m qflow.hydra --config-dir FOLDER --config-name NAME`",
                )
            )


def _quantize(keys: Keys, findings: Findings) -> tuple[syntax.Quantize, ...]:
    """From `quantize`, or from `order`, which applies rule sets one after the other."""
    if keys.has("order") and keys.has("quantize"):
        message = "`order` and `quantize` both say which rules apply"
        help_ = "keep one; `- {apply: NAME}` in `quantize` applies a rule set"
        findings.add(Diagnostic("QF145", message, at=keys.key_span("order"), help=help_))
    if keys.has("order"):
        applied = rules.order(keys.list("order"), findings)
        return (syntax.Quantize(applied, span=_at(keys, "order")),)
    if not keys.has("quantize"):
        return ()
    decided = rules.rules(keys.list("quantize"), findings)
    return (syntax.Quantize(decided, span=_at(keys, "quantize")),)
