"""items: `use`, `params`, the blocks with a name, and sweeps: mappings by name."""

from typing import Any

from qflow.diagnostics import Span
from qflow.dtype import DTYPES
from qflow.lang import syntax
from qflow.lang.yaml import fragments
from qflow.lang.yaml.keys import Findings, Keys
from qflow.lang.yaml.nodes import Mapping, Node, Scalar, Sequence
from qflow.lang.yaml.rules import rules
from qflow.lang.yaml.values import fields_of, name, text, value

DECLARATION = ("type", "value", "in")


def uses(node: Node, findings: Findings) -> tuple[syntax.Use, ...]:
    """`{npu: common/npu.qf}`, or a list of `{file: ..., as: ...}`."""
    if isinstance(node, Mapping):
        return tuple(
            _use(value_, key, _over(key, value_), findings) for key, value_ in node.entries
        )
    if not isinstance(node, Sequence):
        findings.wrong(node, "a mapping", "write `use: {npu: common/npu.qf}`")
        return ()
    found: list[syntax.Use] = []
    for item in node.items:
        if not isinstance(item, Mapping):
            findings.wrong(item, "a mapping", "write `- {file: common/npu.qf, as: npu}`")
            continue
        keys = Keys(item, "a `use`", findings)
        path = keys.scalar("file", "common/npu.qf", required=True)
        alias = keys.scalar("as", "npu")
        keys.done()
        if path is not None:
            found.append(_use(path, alias, item.span, findings))
    return tuple(found)


def _use(path: Node, alias: Scalar | None, at: Span, findings: Findings) -> syntax.Use:
    if not isinstance(path, Scalar):
        findings.wrong(path, "the path of a file")
        return syntax.Use("", None, span=at)
    called = name(alias, findings, "the name of an import", dotted=False) if alias else None
    return syntax.Use(text(path, findings), called, path_span=path.span, span=at)


def params(node: Mapping, findings: Findings) -> tuple[syntax.Param, ...]:
    return tuple(_param(key, given, findings) for key, given in node.entries)


def _param(key: Scalar, given: Node, findings: Findings) -> syntax.Param:
    """`{type: dtype, value: int8, in: [int8, int16]}`, or the value alone."""
    called = name(key, findings, "the name of a param", dotted=False)
    if not is_declaration(given):
        plain = value(given, findings)
        return syntax.Param(
            called,
            _type_of(plain),
            plain,
            None,
            name_span=key.span,
            type_span=given.span,
            span=_over(key, given),
        )
    assert isinstance(given, Mapping), "a declaration is one"
    keys = Keys(given, f"param `{called}`", findings)
    type_ = keys.scalar("type", "int")
    first = keys.required("value", "4")
    domain = keys.node("in")
    keys.done()
    start = value(first, findings) if first is not None else syntax.String("", span=given.span)
    word = name(type_, findings, "a type", dotted=False) if type_ else _type_of(start)
    return syntax.Param(
        called,
        word,
        start,
        _domain(domain, findings) if domain is not None else None,
        name_span=key.span,
        type_span=type_.span if type_ else start.span,
        span=_over(key, given),
    )


def is_declaration(node: Node) -> bool:
    """Whether a param is written out; a mapping without `value` is the value itself."""
    return isinstance(node, Mapping) and any(k.text in DECLARATION for k, _ in node.entries)


def _type_of(given: syntax.Value) -> str:
    match given:
        case syntax.Number(value=number):
            return "int" if isinstance(number, int) else "float"
        case syntax.Name(value=word) if word in ("true", "false"):
            return "bool"
        case syntax.Name(value=word) if word in DTYPES:
            return "dtype"
        case _:
            return "string"


def _domain(node: Node, findings: Findings) -> syntax.Range | syntax.List | None:
    if isinstance(node, Sequence):
        items = tuple(value(item, findings) for item in node.items)
        return syntax.List(items, span=node.span)
    found = fragments.domain(node) if isinstance(node, Scalar) else []
    if not isinstance(found, list):
        return found
    if found:
        findings.add(*found)
    else:
        findings.wrong(node, "a list or a range", 'write `in: [int8, int16]` or `in: "0..64"`')
    return None


def blocks(kind: Any, node: Mapping, findings: Findings) -> tuple[syntax.Block, ...]:
    """`{NAME: {field: value}}`; `path` is the text behind the name in a .qf file."""
    found: list[syntax.Block] = []
    for key, inner in node.entries:
        called = name(key, findings, f"the name of a {kind} block")
        if not isinstance(inner, Mapping):
            findings.wrong(inner, "a mapping", f"write `{kind}: {{{called}: {{...}}}}`")
            continue
        keys = Keys(inner, f"{kind} `{called}`", findings)
        path = keys.scalar("path", '"model.onnx"')
        found.append(
            syntax.Block(
                kind,
                called,
                syntax.String(text(path, findings), span=path.span) if path else None,
                fields_of(tuple(keys.rest()), findings, qconfig=kind == "qconfig"),
                name_span=key.span,
                span=_over(key, inner),
            )
        )
    return tuple(found)


def sweeps(node: Mapping, findings: Findings) -> tuple[syntax.Sweep, ...]:
    found: list[syntax.Sweep] = []
    for key, inner in node.entries:
        called = name(key, findings, "the name of a sweep", dotted=False)
        if not isinstance(inner, Mapping):
            findings.wrong(inner, "a mapping", "write `NAME: {bits: [int8, int16]}`")
            continue
        keys = Keys(inner, f"sweep `{called}`", findings)
        pairs = keys.flag("zip")
        swept = fields_of(tuple(keys.rest()), findings)
        found.append(syntax.Sweep(called, pairs, swept, name_span=key.span, span=_over(key, inner)))
    return tuple(found)


def rule_sets(node: Mapping, findings: Findings) -> tuple[syntax.RuleSet, ...]:
    found: list[syntax.RuleSet] = []
    for key, inner in node.entries:
        called = name(key, findings, "the name of a rule set", dotted=False)
        if not isinstance(inner, Sequence):
            findings.wrong(inner, "a list of rules", "write `NAME: [...]`")
            continue
        found.append(
            syntax.RuleSet(
                called, rules(inner.items, findings), name_span=key.span, span=_over(key, inner)
            )
        )
    return tuple(found)


def _over(key: Scalar, inner: Node) -> Span:
    end = inner.span
    if end.path != key.span.path or (end.line, end.column) < (key.span.line, key.span.column):
        # an alias, or a value another file of the composition gave
        return key.span
    return Span(key.span.path, key.span.line, key.span.column, end.end_line, end.end_column)
