"""printer: the canonical text of any node. The formatter prints the same documents."""

from qflow.diagnostics import Span
from qflow.lang import syntax
from qflow.lang.document import Cell, Group, Part, Statement
from qflow.lang.layout import Plain, render
from qflow.lang.syntax import Node

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
_ONE_LINE_BLOCKS = ("data", "export")


def show(node: Node) -> str:
    """Canonical text without a last newline; blocks take several lines, data and exports one."""
    statements = statements_of(node) if isinstance(node, syntax.File) else (statement_of(node),)
    return "\n".join(render(statements, Plain()))


def statements_of(file: syntax.File) -> tuple[Statement, ...]:
    """The edition line and every item."""
    edition = Statement("qflow", ((f"qflow {file.edition}",),), file.span)
    return (edition, *(statement_of(item) for item in file.items))


def statement_of(node: Node) -> Statement:
    """The document of one node; a node that is part of a line becomes a line of its own."""
    kind, cells = _cells(node)
    return Statement(kind, cells, node.span)


def quoted(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(character, character) for character in text) + '"'


def _cells(node: Node) -> tuple[str, tuple[Cell, ...]]:
    match node:
        case syntax.Field():
            return "field", ((node.name,), ("= ", *_inline(node.value)))
        case syntax.Use():
            alias = ((f"as {node.alias}",),) if node.alias else ()
            return "use", ((f"use {quoted(node.path)}",), *alias)
        case syntax.Param():
            domain = (("in ", *_inline(node.domain)),) if node.domain else ()
            value = ("= ", *_inline(node.value))
            return "param", ((f"param {node.name}:",), (node.type,), value, *domain)
        case syntax.Block():
            path = ((quoted(node.path.value),),) if node.path else ()
            body = _block(node, node.fields, spread=node.kind not in _ONE_LINE_BLOCKS)
            return f"{node.kind} {len(path)}", ((f"{node.kind} {node.name}",), *path, (body,))
        case syntax.Graph():
            return "graph", (("graph",), (_block(node, node.statements),))
        case syntax.RuleSet():
            return "rules", ((f"rules {node.name}",), (_block(node, node.rules),))
        case syntax.Quantize():
            return "quantize", (("quantize",), (_block(node, node.rules),))
        case syntax.Schedule():
            return "schedule", (("schedule",), (_block(node, node.stages),))
        case syntax.Check():
            return "check", (("check",), (_block(node, node.assertions),))
        case syntax.Sweep():
            zipped = " zip" if node.zip else ""
            body = _block(node, node.fields, spread=False)
            return "sweep", ((f"sweep {node.name}{zipped}",), (body,))
        case _:
            return _statement_cells(node)


def _statement_cells(node: Node) -> tuple[str, tuple[Cell, ...]]:
    match node:
        case syntax.Wrap():
            return "wrap", ((f"wrap {quoted(node.target)}",),)
        case syntax.Leaf():
            return "leaf", (("leaf ", *_inline(node.selector)),)
        case syntax.Fuse():
            return "fuse", ((f"fuse {' + '.join(node.pattern)}{_within(node.within)}",),)
        case syntax.DefaultRule():
            return "rule", (("default",), _inline(node.action))
        case syntax.MatchRule():
            quota = " optional" if node.optional else ""
            quota = f" expect {node.expect}" if node.expect is not None else quota
            return "rule", (("match ", *_inline(node.selector), quota), _inline(node.action))
        case syntax.ApplyRule():
            return "rule", ((f"apply {node.rules}",),)
        case syntax.Stage():
            epochs = (" epochs ", *_inline(node.epochs)) if node.epochs else ()
            head = (f"stage {node.name} on {node.data}", *epochs)
            return "stage", (head, (_block(node, node.statements),))
        case syntax.SetState():
            state = (f"= {node.state}",)
            return "state", (("state ", *_inline(node.selector)), state, *_from_epoch(node))
        case syntax.Freeze():
            return "freeze", (
                (f"freeze {node.what}",),
                _inline(node.selector),
                *_from_epoch(node),
            )
        case syntax.Assertion():
            data = (f" on {node.data}",) if node.data else ()
            return "assertion", ((node.severity,), (*_inline(node.claim), *data))
        case _:
            return "inline", (_inline(node),)


def _from_epoch(node: syntax.SetState | syntax.Freeze) -> tuple[Cell, ...]:
    return (("from epoch ", *_inline(node.from_epoch)),) if node.from_epoch else ()


def _block(node: Node, statements: tuple[Node, ...], spread: bool = True) -> Group:
    return Group("block", tuple(map(statement_of, statements)), node.span, spread)


def _inline(node: Node) -> Cell:
    """A node that is part of a line."""
    match node:
        case syntax.String():
            return (quoted(node.value),)
        case syntax.Number():
            return (node.text,)
        case syntax.Name():
            return (node.value,)
        case syntax.TensorType():
            return (f"{node.dtype}[{', '.join(map(str, node.dims))}]",)
        case syntax.List():
            items = (Statement("item", (_inline(item),), item.span) for item in node.items)
            return (Group("list", tuple(items), node.span),)
        case syntax.Dict():
            return (Group("dict", _entries(node), node.span),)
        case syntax.Range():
            return (f"{node.low.text}..{node.high.text}",)
        case syntax.Keyword():
            return (f"{node.name} = ", *_inline(node.value))
        case syntax.Call():
            return (f"{node.function}(", *_joined(node.args), ")")
        case syntax.Selector():
            excluded = (" except ", *_joined(node.excluded)) if node.excluded else ()
            return (*_joined(node.atoms), *excluded)
        case syntax.ByName():
            return (quoted(node.pattern),)
        case syntax.ByType():
            return (f"type {node.type}{_within(node.within)}",)
        case syntax.ByOp():
            return (f"op {node.op}{_within(node.within)}",)
        case _:
            return _action_or_claim(node)


def _action_or_claim(node: Node) -> Cell:
    match node:
        case syntax.UseAction():
            fields = tuple(map(statement_of, node.fields))
            return (f"use {node.qconfig}", Group("block", fields, node.span, lead=" with "))
        case syntax.PatchAction():
            return ("patch ", _block(node, node.fields, spread=False))
        case syntax.ScalesAction():
            head = ("scales from ", *_inline(node.source))
            fields = tuple(map(statement_of, node.fields))
            return (*head, Group("block", fields, node.span, lead=" ")) if fields else head
        case syntax.FloatAction():
            return ("float",)
        case syntax.IsClaim():
            return (*_inline(node.subject), f" is {node.dtype}")
        case syntax.CompareClaim():
            no = ("no ",) if node.negated else ()
            return (*no, *_inline(node.subject), f" {node.operator} ", *_inline(node.value))
        case _:
            raise TypeError(f"{type(node).__name__} has no text")


def _entries(node: syntax.Dict) -> tuple[Statement, ...]:
    """With spans that begin at the key, so that a comment on the key's line stays behind it."""
    spans = node.key_spans or tuple(value.span for _, value in node.entries)
    return tuple(
        Statement("entry", ((f"{key}:",), _inline(value)), _from(start, value))
        for (key, value), start in zip(node.entries, spans, strict=True)
    )


def _from(start: Span, node: Node) -> Span:
    end = node.span
    return Span(start.path, start.line, start.column, end.end_line, end.end_column)


def _joined(nodes: tuple[Node, ...]) -> Cell:
    parts: list[Part] = []
    for node in nodes:
        parts += [", "] if parts else []
        parts += _inline(node)
    return tuple(parts)


def _within(pattern: str | None) -> str:
    return f" in {quoted(pattern)}" if pattern is not None else ""
