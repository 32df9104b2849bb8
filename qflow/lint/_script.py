"""A Python file as text: its syntax tree and where things stand; nothing of it is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from qflow.diagnostics import Diagnostic, Span, fail
from qflow.records import dataclass


@dataclass(frozen=True)
class Script:
    path: str
    text: str
    tree: ast.Module
    wrapped: frozenset[str] = frozenset()
    """Names a .qf file keeps whole: functions of `wrap`, leaf classes."""

    def span(self, node: ast.AST) -> Span:
        """Where a node stands; a definition is shown by its first line."""
        line: int = getattr(node, "lineno", 1)
        end: int = getattr(node, "end_lineno", None) or line
        column = self._column(line, getattr(node, "col_offset", 0))
        last = self._column(end, getattr(node, "end_col_offset", None) or 0)
        if end != line or isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            end, last = line, len(self.lines[line - 1].rstrip()) + 1
        return Span(self.path, line, column, end, max(last, column + 1))

    def _column(self, line: int, offset: int) -> int:
        """Python counts bytes, an editor characters."""
        before = self.lines[line - 1].encode()[:offset] if line <= len(self.lines) else b""
        return len(before.decode(errors="ignore")) + 1

    @cached_property
    def lines(self) -> list[str]:
        # not `splitlines`: a form feed ends no line for Python
        return self.text.split("\n")

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def imports(self) -> dict[str, str]:
        """Local name to what it was imported from: `Q` -> `qflow.quantization`."""
        found: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for a in node.names:
                    found[a.asname or a.name.partition(".")[0]] = (
                        a.name if a.asname else a.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
        return found

    def full_name(self, node: ast.AST) -> str:
        """Dotted name of an expression with its import resolved; empty for anything else."""
        name = dotted(node)
        head, dot, rest = name.partition(".")
        return self.imports.get(head, head) + dot + rest

    def calls(self, *names: str, inside: ast.AST | None = None) -> Iterator[ast.Call]:
        """Calls of functions or methods of one of these names, in the order of the text.

        What is imported from torch is another function of that name and does not count.
        """
        every = self._calls if inside is None else self._calls_in(inside)
        return (call for call, name in every if name in names)

    @cached_property
    def _calls(self) -> tuple[tuple[ast.Call, str], ...]:
        # a dozen rules ask for calls of the whole file
        return tuple(self._calls_in(self.tree))

    def _calls_in(self, node: ast.AST) -> Iterator[tuple[ast.Call, str]]:
        return ((n, self.called(n)) for n in in_order(node) if isinstance(n, ast.Call))

    def called(self, node: ast.Call) -> str:
        """Last part of the name that is called; empty where torch's own function is meant."""
        full = self.full_name(node.func)
        last = full.rpartition(".")[2] or _last(node.func)
        foreign = full.startswith(("torch.onnx", "torch.export", "torch.ao", "onnx."))
        return "" if foreign else last

    @cached_property
    def classes(self) -> tuple[ClassFact, ...]:
        """Classes that have a `forward`."""
        nodes = (n for n in self.nodes if isinstance(n, ast.ClassDef))
        facts = (class_fact(n) for n in nodes)
        return tuple(c for c in facts if "forward" in c.methods)


@dataclass(frozen=True)
class ClassFact:
    """A module class as its text has it."""

    node: ast.ClassDef
    methods: dict[str, ast.FunctionDef]
    attributes: dict[str, str]
    """Per `self.x = Name(...)` the last part of the name that is called."""
    decorators: tuple[str, ...]

    def attribute_called(self, call: ast.Call) -> str:
        """`x` for `self.x(...)`; empty for any other call."""
        name = dotted(call.func)
        return (
            name.removeprefix("self.") if name.startswith("self.") and name.count(".") == 1 else ""
        )

    def called_in(self, method: ast.FunctionDef) -> Iterator[str]:
        """`x` for every `self.x(...)` and `self.x.method(...)`, with repeats."""
        for call in (n for n in ast.walk(method) if isinstance(n, ast.Call)):
            parts = dotted(call.func).split(".")
            if parts[0] == "self" and len(parts) in (2, 3):
                yield parts[1]

    def reached(self) -> Iterator[ast.FunctionDef]:
        """`forward` and the class's own methods it calls; wrapped ones are kept whole."""
        waiting, seen = ["forward"], set()
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self.methods:
                continue
            seen.add(name)
            method = self.methods[name]
            if is_wrapped(method):
                continue
            yield method
            waiting += [
                n.func.attr
                for n in ast.walk(method)
                if isinstance(n, ast.Call)
                and isinstance(n.func, ast.Attribute)
                and dotted(n.func.value) == "self"
            ]


def class_fact(node: ast.ClassDef) -> ClassFact:
    methods = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}
    attributes = {}
    for assign in (n for m in methods.values() for n in ast.walk(m) if isinstance(n, ast.Assign)):
        if not isinstance(assign.value, ast.Call):
            continue
        for target in assign.targets:
            if isinstance(target, ast.Attribute) and dotted(target.value) == "self":
                attributes[target.attr] = _last(assign.value.func)
    return ClassFact(node, methods, attributes, tuple(map(_decorator, node.decorator_list)))


def is_wrapped(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether `wrap` keeps it whole: `@wrap()`, `@fx_wrap()`."""
    return any(_decorator(d).endswith("wrap") for d in node.decorator_list)


def _decorator(node: ast.AST) -> str:
    return _last(node.func if isinstance(node, ast.Call) else node)


def read(path: str, text: str, wrapped: frozenset[str] = frozenset()) -> Script:
    """The file's syntax tree. Raises QflowError: QF105 where Python cannot parse it."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        return Script(path, plain, ast.parse(plain), wrapped)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None) or 1
        column = getattr(error, "offset", None) or 1
        raise fail(
            Diagnostic(
                "QF105",
                f"this is no Python that can be parsed: {getattr(error, 'msg', error)}",
                at=Span(path, line, column, line, column + 1),
            )
        ) from error


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a chain of attributes that starts at a name; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join(reversed([*parts, node.id]))


def in_order(node: ast.AST) -> Iterator[ast.AST]:
    """A node and everything below it in the order of the text, arguments before their call."""
    for child in ast.iter_child_nodes(node):
        yield from in_order(child)
    yield node


def _last(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def keyword(call: ast.Call, name: str, place: int | None = None) -> ast.expr | None:
    """An argument by name, or by place; None when it is not given."""
    for given in call.keywords:
        if given.arg == name:
            return given.value
    if place is not None and place < len(call.args):
        return call.args[place]
    return None
