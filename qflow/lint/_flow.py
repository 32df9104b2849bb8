"""What a script does, in order: its calls with the models they are about, local functions entered.

Both branches of an `if` are taken, loops run once. A model keeps its symbol under every name it is
given, so that `net = prepare(net)` makes a new one and `net = net.to(device)` does not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import field

from qflow.lint._script import Script, dotted
from qflow.records import dataclass

_SAME = ("to", "cuda", "cpu", "eval", "train", "float", "requires_grad_")
"""Methods of a model that return the model itself."""
_DEEPEST = 12


@dataclass(frozen=True)
class Event:
    """A call, or the setting of an attribute (then `name` is `=attribute`)."""

    name: str
    """Last part of what is called."""
    full: str
    """Dotted name with its import resolved."""
    node: ast.expr
    on: str
    """Symbol of the object whose method, or which itself, is called."""
    args: tuple[str, ...]
    """Symbols of positional arguments; empty for what is no name."""
    result: str
    """Symbol the result is kept under; empty for none."""
    value: ast.expr | None = None
    """What an attribute is set to."""

    def about(self, symbol: str) -> bool:
        """Whether it is called on this object or takes it."""
        return symbol in (self.on, *self.args)


@dataclass
class _Walk:
    script: Script
    functions: dict[str, ast.FunctionDef]
    events: list[Event] = field(default_factory=list)
    entered: set[str] = field(default_factory=set)
    top: dict[str, str] = field(default_factory=dict)
    """Names of the file itself, which its functions see."""
    made: int = 0

    def fresh(self, name: str) -> str:
        self.made += 1
        return f"{name}#{self.made}"


Names = dict[str, str]


def flows(script: Script) -> tuple[tuple[Event, ...], ...]:
    """The flow of the file itself, if it calls anything, then of every function not reached."""
    whole = _walked(script)
    found = [tuple(whole.events)]
    for name, node in whole.functions.items():
        if name in whole.entered:
            continue
        alone = _Walk(script, whole.functions, top=whole.top)
        _block(alone, node.body, dict(whole.top), 0)
        found.append(tuple(alone.events))
        whole.entered |= alone.entered
    return tuple(f for f in found if f)


def main_flow(script: Script) -> tuple[Event, ...]:
    """What runs when the file is run; empty for a file that only defines."""
    return tuple(_walked(script).events)


def _walked(script: Script) -> _Walk:
    functions = {n.name: n for n in script.tree.body if isinstance(n, ast.FunctionDef)}
    walk = _Walk(script, functions)
    _block(walk, script.tree.body, walk.top, 0)
    return walk


def _block(walk: _Walk, body: list[ast.stmt], names: Names, depth: int) -> str:
    """Run statements; the symbol of what they return."""
    returned = ""
    for statement in body:
        returned = _statement(walk, statement, names, depth) or returned
    return returned


def _statement(walk: _Walk, node: ast.stmt, names: Names, depth: int) -> str:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
        return ""
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        _assign(walk, node, names, depth)
        return ""
    if isinstance(node, ast.Return):
        return _expression(walk, node.value, names, depth) if node.value else ""
    if isinstance(node, ast.For):
        symbol = _expression(walk, node.iter, names, depth)
        if isinstance(node.target, ast.Name):
            names[node.target.id] = symbol or walk.fresh(node.target.id)
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.expr) and not isinstance(node, ast.For):
            _expression(walk, part, names, depth)
        elif isinstance(part, ast.withitem):
            _expression(walk, part.context_expr, names, depth)
        elif isinstance(part, ast.ExceptHandler):
            _block(walk, part.body, names, depth)
    blocks = (getattr(node, b, []) for b in ("body", "orelse", "finalbody"))
    return next((r for b in blocks for r in [_block(walk, b, names, depth)] if r), "")


def _assign(walk: _Walk, node: ast.Assign | ast.AnnAssign, names: Names, depth: int) -> None:
    if node.value is None:
        return
    symbol = _expression(walk, node.value, names, depth)
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for target in targets:
        if isinstance(target, ast.Name):
            names[target.id] = symbol or walk.fresh(target.id)
        elif isinstance(target, ast.Attribute):
            on = _symbol(target.value, names)
            name = f"={target.attr}"
            walk.events.append(Event(name, "", target, on, (), "", node.value))


def _expression(walk: _Walk, node: ast.expr, names: Names, depth: int) -> str:
    """Note the calls inside, innermost first; the symbol of the value."""
    if not isinstance(node, ast.Call):
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.comprehension):
                _expression(walk, part.iter, names, depth)
            elif isinstance(part, ast.expr):
                _expression(walk, part, names, depth)
        return _symbol(node, names)
    inner = [_expression(walk, a, names, depth) for a in node.args]
    by_name = {k.arg or "": _expression(walk, k.value, names, depth) for k in node.keywords}
    on = _receiver(walk, node.func, names, depth)
    local = walk.functions.get(node.func.id) if isinstance(node.func, ast.Name) else None
    if local is not None and depth < _DEEPEST:
        return _enter(walk, local, inner, by_name, depth)
    name = walk.script.called(node)
    result = _result(walk, node, on, inner, name)
    full = walk.script.full_name(node.func)
    args = (*inner, *(s for s in by_name.values() if s))
    walk.events.append(Event(name, full, node, on, args, result))
    return result


def _enter(
    walk: _Walk, node: ast.FunctionDef, inner: list[str], by_name: dict[str, str], depth: int
) -> str:
    walk.entered.add(node.name)
    parameters = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
    names = {**walk.top, **{p: walk.fresh(p) for p in parameters}}
    names.update({p: s for p, s in zip(parameters, inner, strict=False) if s})
    names.update({p: s for p, s in by_name.items() if s})
    return _block(walk, node.body, names, depth + 1)


def _receiver(walk: _Walk, function: ast.expr, names: Names, depth: int) -> str:
    if isinstance(function, ast.Attribute):
        if isinstance(function.value, ast.Call):
            return _expression(walk, function.value, names, depth)
        return _symbol(function.value, names)
    return _symbol(function, names)


def _result(walk: _Walk, node: ast.Call, on: str, inner: list[str], name: str) -> str:
    if isinstance(node.func, ast.Attribute) and name in (*_SAME, "parameters"):
        return on
    return walk.fresh(name or "call")


def _symbol(node: ast.expr, names: Names) -> str:
    """`net.backbone` under the symbol of `net`; empty for what is no name."""
    name = dotted(node)
    if not name:
        return ""
    head, dot, rest = name.partition(".")
    return names.setdefault(head, head) + dot + rest


PREPARES = ("prepare", "prepare_qat", "prepare_qat_fx", "prepare_calibration_fx")
STILL = (*_SAME, "parameters", "state_dict", "print", "named_modules", "modules")
"""What may be done with a model without running it."""
EXPORTS = ("export", "pre_export", "export_hbir")


def state_of(event: Event) -> str:
    """The state a `set_fake_quantize` sets: `CALIBRATION`; empty where it is no plain name."""
    return event.args[1].rpartition(".")[2].upper() if len(event.args) > 1 else ""


def mode_of(event: Event) -> str:
    """`train` or `eval` where a method sets the mode of a model; else empty."""
    call = event.node
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or not event.on:
        return ""
    if event.name == "train" and call.args and getattr(call.args[0], "value", None) is False:
        return "eval"
    return event.name if event.name in ("train", "eval") else ""


def within(symbol: str, whole: str) -> bool:
    """Whether a symbol is a model or a part of it."""
    return bool(whole) and (symbol == whole or symbol.startswith(f"{whole}."))


def calls_of(flow: tuple[Event, ...], *names: str) -> Iterator[tuple[int, Event]]:
    """Events of these names with their places."""
    yield from ((i, e) for i, e in enumerate(flow) if e.name in names)
