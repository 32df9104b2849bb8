"""torchscript_code: the code in a TorchScript file, looked at before torch compiles it.

TorchScript can do more than compute: read and write files, loop for ever, run a class's own
`__setstate__` while it is loaded. Its text is Python's grammar; what may stand in it is listed.
"""

from __future__ import annotations

import ast
import pickletools
from collections.abc import Iterator, Mapping

import torch

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.frontends import aten
from qflow.frontends.aten_special import SPECIAL
from qflow.frontends.refusing import damaged, distrusted, unknown

SCALARS = frozenset(
    "size device Int ScalarImplicit FloatImplicit IntImplicit __getitem__ len".split()
)
"""Functions of numbers and lists that reading knows."""
_PRIMITIVES = frozenset("NumToTensor TupleUnpack TupleIndex data".split())
_WORDS = frozenset("annotate int float bool getattr unchecked_cast".split())
_LARGEST = 64 << 20
_STATEMENTS = (
    *(ast.Module, ast.ClassDef, ast.FunctionDef, ast.Assign, ast.AnnAssign, ast.Return),
    *(ast.Expr, ast.Pass),
)
_BRANCHES = (ast.If, ast.While, ast.For, ast.IfExp, ast.With, ast.Assert, ast.Raise, ast.Try)
_GLOBALS = ("__torch__", "torch._utils", "torch.jit._pickle", "collections", "torch")


def known() -> frozenset[str]:
    """Functions of torch that such a file may call."""
    return frozenset((*aten._FORMS, *aten._PLAIN, *aten._METHODS, *aten._SAME, *SPECIAL, *SCALARS))


def check(members: Mapping[str, bytes], shown: str) -> None:
    """Raises QflowError: QF362 for text that is no code, QF363 for code that could do more than
    compute, QF364 for functions nobody knows, QF365 for control flow.
    """
    code = {n: raw for n, raw in members.items() if n.startswith("code/") and n.endswith(".py")}
    trees = {n: _parsed(n, raw, shown) for n, raw in code.items()}
    own = {f.name for t in trees.values() for f in ast.walk(t) if isinstance(f, ast.FunctionDef)}
    for name, tree in trees.items():
        for node in ast.walk(tree):
            _check(node, own, f"{name}:{getattr(node, 'lineno', 1)}", shown)
    for name in ("data.pkl", "constants.pkl"):
        _check_pickle(name, members.get(name, b""), shown)


def _parsed(name: str, raw: bytes, shown: str) -> ast.Module:
    if len(raw) > _LARGEST:
        raise damaged(shown, f"its code `{name}` is too large")
    try:
        return ast.parse(raw.decode())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise damaged(shown, f"its code `{name}` cannot be read: {error}") from error


def _check(node: ast.AST, own: set[str], where: str, shown: str) -> None:
    if isinstance(node, _BRANCHES):
        raise _branches(node, where, shown)
    if isinstance(node, ast.stmt) and not isinstance(node, _STATEMENTS):
        raise distrusted(shown, f"{where} holds a {type(node).__name__}")
    if isinstance(node, ast.FunctionDef) and node.name.startswith("__"):
        raise distrusted(shown, f"{where} defines `{node.name}`, which runs while it is loaded")
    if isinstance(node, ast.Call):
        _check_call(node.func, own, where, shown)


def _check_call(function: ast.expr, own: set[str], where: str, shown: str) -> None:
    if isinstance(function, ast.Name):
        if function.id not in _WORDS:
            raise distrusted(shown, f"{where} calls `{function.id}`")
        return
    if not isinstance(function, ast.Attribute):
        raise distrusted(shown, f"{where} calls what it computed")
    parts = tuple(_parts(function))
    name = parts[-1]
    if parts[0] == "torch" and len(parts) == 2:
        if name.removesuffix("_") not in known() and name not in known():
            raise unknown(shown, f"torch.{name}", f"({where}) is not known to qflow", known())
    elif parts[0] == "ops":
        if parts[1:-1] != ("prim",) or name not in _PRIMITIVES:
            raise unknown(shown, ".".join(parts), f"({where}) is not known to qflow")
    elif name not in own or hasattr(torch.ops.aten, name):
        raise distrusted(shown, f"{where} calls `{name}` of a value")


def _parts(node: ast.expr) -> Iterator[str]:
    """`torch.relu` as its names; what is no name is an empty one."""
    if isinstance(node, ast.Attribute):
        yield from _parts(node.value)
        yield node.attr
    else:
        yield node.id if isinstance(node, ast.Name) else ""


def _branches(node: ast.AST, where: str, shown: str) -> QflowError:
    return fail(
        Diagnostic(
            "QF365",
            f"the TorchScript file `{shown}` decides while it runs: {where} is a "
            f"{type(node).__name__.lower()}",
            notes=(f"the line reads `{ast.unparse(node).splitlines()[0][:80]}`",),
            help="it was made with `torch.jit.script`: make it with `torch.jit.trace`, or give the "
            "model by `entry`",
        )
    )


def _check_pickle(name: str, raw: bytes, shown: str) -> None:
    """Objects of a TorchScript file are of its own classes and of tensors, of nothing else."""
    if not raw:
        raise damaged(shown, f"it has no `{name}`: it is no TorchScript file")
    try:
        for opcode, argument, _ in pickletools.genops(raw):
            if opcode.name in ("STACK_GLOBAL", "INST", "OBJ", "EXT1", "EXT2", "EXT4"):
                raise distrusted(shown, f"`{name}` names code outside of itself")
            if opcode.name != "GLOBAL":
                continue
            module = str(argument).partition(" ")[0]
            if module not in _GLOBALS and not module.startswith("__torch__."):
                raise distrusted(shown, f"`{name}` names `{str(argument).replace(' ', '.')}`")
    except QflowError:
        raise
    except (ValueError, LookupError, OverflowError) as error:
        raise damaged(shown, f"its `{name}` cannot be read: {error}") from error
