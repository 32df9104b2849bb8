"""What in a forward depends on the values of its tensors."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from qflow.lint._script import ClassFact, Script, dotted

_STATIC = ("shape", "size", "dim", "ndim", "dtype", "device", "len", "isinstance", "numel")
"""What asks for the form of a tensor, not for its values."""


def data_names(method: ast.FunctionDef) -> frozenset[str]:
    """Names of a method that hold tensors: its arguments and what is made of them."""
    every = (*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs)
    names = {a.arg for a in every} - {"self"}
    for _ in range(2):
        for node in (n for n in ast.walk(method) if isinstance(n, (ast.Assign, ast.AugAssign))):
            if node.value is not None and depends(node.value, frozenset(names)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return frozenset(names)


def depends(node: ast.AST, names: frozenset[str]) -> bool:
    """Whether an expression reads the values of one of these names, not only their form."""
    if isinstance(node, ast.Attribute) and node.attr in _STATIC:
        return False
    if isinstance(node, ast.Call):
        called = dotted(node.func)
        if called.rpartition(".")[2] in _STATIC:
            return False
    if isinstance(node, ast.Compare) and any(isinstance(o, (ast.Is, ast.IsNot)) for o in node.ops):
        return False
    if isinstance(node, ast.Name):
        return node.id in names
    return any(depends(child, names) for child in ast.iter_child_nodes(node))


def branches(owner: ClassFact) -> Iterator[tuple[ast.FunctionDef, ast.stmt]]:
    """Every `if`, `while` and `for range(...)` of a forward whose course depends on data."""
    for method in owner.reached():
        names = data_names(method)
        for node in ast.walk(method):
            if isinstance(node, (ast.If, ast.While)) and depends(node.test, names):
                yield method, node
            elif isinstance(node, ast.For) and _counts(node.iter) and depends(node.iter, names):
                yield method, node


def _counts(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and dotted(node.func) == "range"


def functional(script: Script, block: ast.stmt, names: frozenset[str]) -> ast.AST | None:
    """The first operator of a block on tensors that is neither a module nor in a dynamic block."""
    for child in ast.iter_child_nodes(block):
        if isinstance(child, ast.stmt) and (found := _functional(script, child, names)):
            return found
    return None


def _functional(script: Script, node: ast.AST, names: frozenset[str]) -> ast.AST | None:
    if isinstance(node, ast.With) and any(_dynamic(i.context_expr) for i in node.items):
        return None
    if isinstance(node, ast.BinOp) and depends(node, names):
        return node
    if isinstance(node, ast.AugAssign) and depends(node.target, names):
        return node
    if isinstance(node, ast.Call) and script.full_name(node.func).startswith("torch."):
        return node
    found = (_functional(script, child, names) for child in ast.iter_child_nodes(node))
    return next((f for f in found if f is not None), None)


def _dynamic(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] == "dynamic_block"
