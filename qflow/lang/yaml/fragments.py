"""fragments: text of the language inside YAML: claims, calls, ranges and values in `{qf: ...}`.

Each is parsed by the grammar of .qf, so that both forms say the same and grow together.
"""

from dataclasses import replace
from typing import TypeVar

from qflow.diagnostics import Diagnostic, Label, Span
from qflow.lang import syntax
from qflow.lang.parse import parse
from qflow.lang.yaml.nodes import Scalar
from qflow.lang.yaml.respan import respan

N = TypeVar("N", bound=syntax.Node)
_LINE = 3
"""Where every fragment stands in the small file it is parsed in."""


def claim(node: Scalar, severity: str) -> syntax.IsClaim | syntax.CompareClaim | list[Diagnostic]:
    """What stands behind `assert` or `warn`."""
    item = _item(node, "check", f"{severity} ", "")
    match item:
        case syntax.Check(assertions=(only,)) if only.data is None:
            return _moved(node, len(severity) + 1, only.claim)
    return _refused(node, item, "a claim", "cosine(output.logits) >= 0.99")


def call(node: Scalar) -> syntax.Call | list[Diagnostic]:
    """A selector function: `sensitive(sens, top = 4)`."""
    item = _item(node, "quantize", "match ", " float")
    match item:
        case syntax.Quantize(
            rules=(
                syntax.MatchRule(
                    selector=syntax.Selector(atoms=(syntax.Call() as found,), excluded=()),
                    optional=False,
                    expect=None,
                ),
            )
        ):
            return _moved(node, len("match "), found)
    return _refused(node, item, "a call of a selector function", "sensitive(sens, top = 4)")


def value(node: Scalar) -> syntax.Value | list[Diagnostic]:
    """Any value, written as in a .qf file."""
    item = _item(node, "data d", "v = ", "")
    match item:
        case syntax.Block(fields=(only,)):
            return _moved(node, len("v = "), only.value)
    return _refused(node, item, "a value", '{qf: "[int8, int16]"}')


def domain(node: Scalar) -> syntax.Range | syntax.List | list[Diagnostic]:
    """`0..64`."""
    item = _parsed(node, "qflow 1\n\nparam p: int = 0 in ", "\n")
    match item:
        case syntax.Param(domain=(syntax.Range() | syntax.List()) as found):
            return _moved(node, len("param p: int = 0 in "), found)
    return _refused(node, item, "a domain", "0..64")


def pattern(node: Scalar) -> tuple[str, ...] | list[Diagnostic]:
    """`conv + bn + relu`."""
    item = _item(node, "graph", "fuse ", "")
    match item:
        case syntax.Graph(statements=(syntax.Fuse(pattern=found, within=None),)):
            return found
    return _refused(node, item, "a pattern to fuse", "conv + bn + relu")


def _item(node: Scalar, block: str, before: str, after: str) -> syntax.Item | list[Diagnostic]:
    return _parsed(node, f"qflow 1\n{block} {{\n{before}", f"{after}\n}}\n")


def _parsed(node: Scalar, before: str, after: str) -> syntax.Item | list[Diagnostic]:
    if "\n" in node.text:
        return []
    result = parse(f"{before}{node.text}{after}", node.span.path)
    prefix = len(before.rsplit("\n", 1)[-1])
    if result.file is None:
        return [_at_its_place(node, prefix, d) for d in result.diagnostics]
    return result.file.items[0] if len(result.file.items) == 1 else []


def _refused(
    node: Scalar, item: syntax.Item | list[Diagnostic], what: str, example: str
) -> list[Diagnostic]:
    """What the parser found, or that it is something else altogether."""
    if isinstance(item, list) and item:
        return item[:1]
    message = f"this is not {what} of the language"
    help_ = f"write it on one line, such as `{example}`"
    return [Diagnostic("QF145", message, at=node.span, help=help_)]


def _moved(node: Scalar, prefix: int, found: N) -> N:
    return respan(found, lambda span: _place(node, prefix, span))


def _at_its_place(node: Scalar, prefix: int, found: Diagnostic) -> Diagnostic:
    return replace(
        found,
        at=_place(node, prefix, found.at) if found.at else node.span,
        also=tuple(Label(_place(node, prefix, a.span), a.text) for a in found.also),
        edits=(),
    )


def _place(node: Scalar, prefix: int, span: Span) -> Span:
    """A span of the fragment's own text, in the YAML; the whole scalar where that is unclear."""
    if node.start is None or span.line != _LINE or span.end_line != _LINE:
        return node.span
    line, column = node.start
    start, end = span.column - 1 - prefix, span.end_column - 1 - prefix
    if not 0 <= start <= end <= len(node.text):
        return node.span
    return Span(node.span.path, line, column + start, line, column + end)
