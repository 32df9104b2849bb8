"""values: YAML nodes as values and fields of the language."""

from qflow.diagnostics import Diagnostic, Span
from qflow.lang import syntax
from qflow.lang.yaml import fragments, scalars
from qflow.lang.yaml.keys import Findings
from qflow.lang.yaml.nodes import Mapping, Node, Scalar, Sequence

QF = "qf"
"""`{qf: "text"}` is a value written as in a .qf file."""
PARTS = ("act", "weight", "out")
"""In a qconfig `act: {dtype: int8}` says what `act.dtype: int8` does."""


def value(node: Node, findings: Findings) -> syntax.Value:
    """A value; where it is wrong, that is found and an empty text stands in for it."""
    match node:
        case Scalar():
            found = scalars.value(node)
            if isinstance(found, Diagnostic):
                findings.add(found)
                return syntax.String("", span=node.span)
            return found
        case Sequence():
            return syntax.List(tuple(value(i, findings) for i in node.items), span=node.span)
        case Mapping(entries=((Scalar(text=key), Scalar() as text),)) if key == QF:
            written = fragments.value(text)
            if isinstance(written, list):
                findings.add(*written)
                return syntax.String("", span=node.span)
            return written
        case _:
            return _dict(node, findings)


def _dict(node: Mapping, findings: Findings) -> syntax.Dict:
    names = [name(key, findings, "a name", dotted=False) for key, _ in node.entries]
    return syntax.Dict(
        tuple((n, value(v, findings)) for n, (_, v) in zip(names, node.entries, strict=True)),
        key_spans=tuple(key.span for key, _ in node.entries),
        span=node.span,
    )


def name(node: Scalar, findings: Findings, what: str, dotted: bool = True) -> str:
    """A word of the language; QF145 for other text, QF142 for what readers disagree on."""
    if scalars.INTERPOLATION.search(node.text):
        findings.add(scalars.interpolation(node))
    elif not node.quoted and scalars.reads_otherwise(node.text):
        findings.add(scalars.ambiguous(node))
    elif not scalars.NAME.fullmatch(node.text) or ("." in node.text and not dotted):
        findings.wrong(node, what, "a word is made of letters, digits and `_`")
    return node.text


def text(node: Scalar, findings: Findings) -> str:
    """Text, in quotes or without."""
    if scalars.INTERPOLATION.search(node.text):
        findings.add(scalars.interpolation(node))
    elif not node.quoted and scalars.reads_otherwise(node.text):
        findings.add(scalars.ambiguous(node))
    return node.text


def fields(node: Mapping, findings: Findings, qconfig: bool = False) -> tuple[syntax.Field, ...]:
    """Fields of a block in order. A key with a dot before it is a field whatever it is called."""
    return fields_of(node.entries, findings, qconfig)


def fields_of(
    entries: tuple[tuple[Scalar, Node], ...], findings: Findings, qconfig: bool = False
) -> tuple[syntax.Field, ...]:
    found: list[syntax.Field] = []
    for key, node in entries:
        if qconfig and key.text in PARTS and isinstance(node, Mapping):
            for inner, deeper in node.entries:
                name(inner, findings, "a name")
                found.append(_field(f"{key.text}.{inner.text}", inner.span, deeper, findings))
            continue
        plain = Scalar(key.text.removeprefix("."), key.quoted or key.text[:1] == ".", key.span)
        found.append(_field(name(plain, findings, "a name"), key.span, node, findings))
    return tuple(found)


def _field(called: str, at: Span, node: Node, findings: Findings) -> syntax.Field:
    end = node.span
    behind = end.path == at.path and (end.line, end.column) >= (at.line, at.column)
    # an alias, or a file of a composition, has its value elsewhere
    span = Span(at.path, at.line, at.column, end.end_line, end.end_column) if behind else at
    return syntax.Field(called, value(node, findings), name_span=at, span=span)
