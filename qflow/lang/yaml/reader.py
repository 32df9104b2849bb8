"""reader: a YAML document to the syntax tree that a .qf file saying the same gives."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import get_args

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
    "qflow", "use", "params", "model", "target", "data", "qconfig", "sensitivity", "graph",
    "rule_sets", "order", "quantize", "schedule", "check", "export", "sweep",
)  # fmt: skip
"""Of the document, in the order they are written."""
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
    for key in KEYS:
        keys.has(key)
    found: list[syntax.Item] = []
    # in the order they are written in, as a .qf file would have them
    for name, node in root.entries:
        found += _items(name.text, node, keys, findings)
    if keys.has("order") and keys.has("quantize"):
        message = "`order` and `quantize` both say which rules apply"
        help_ = "keep one; `- {apply: NAME}` in `quantize` applies a rule set"
        findings.add(Diagnostic("QF145", message, at=keys.key_span("order"), help=help_))
    keys.done()
    return syntax.File(EDITION, tuple(found), span=whole)


_NAMED: dict[str, Callable[[Mapping, Findings], Sequence[syntax.Item]]] = {
    "params": items.params,
    "rule_sets": items.rule_sets,
    "sweep": items.sweeps,
    **{kind: partial(items.blocks, kind) for kind in BLOCKS},
}


def _items(key: str, node: Node, keys: Keys, findings: Findings) -> Sequence[syntax.Item]:
    """What stands under one key of the document; nothing under one that is unknown."""
    if key == "use":
        return items.uses(node, findings)
    if key in _NAMED:
        given = keys.mapping(key)
        return _NAMED[key](given, findings) if given else ()
    at = _at(keys, key) if key in KEYS else node.span
    match key:
        case "graph":
            return (syntax.Graph(stages.graph(keys.list(key), findings), span=at),)
        case "order":
            return (syntax.Quantize(rules.order(keys.list(key), findings), span=at),)
        case "quantize":
            return (syntax.Quantize(rules.rules(keys.list(key), findings), span=at),)
        case "schedule":
            return (syntax.Schedule(stages.schedule(keys.list(key), findings), span=at),)
        case "check":
            return (syntax.Check(stages.check(keys.list(key), findings), span=at),)
        case _:
            return ()


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
        first = keys.span
        start = Span(first.path, first.line, first.column, first.line, first.column)
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
