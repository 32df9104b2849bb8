"""qualify: a program as another file sees it: every name of its own has the alias in front.

No name of the importing file can mean something in the imported one, nor the other way round: what
`w8a8` means in the imported file, its own or the built-in qconfig, is `alias.w8a8` outside of it.
A word that names nothing of the file stays as it is.
"""

import posixpath
from dataclasses import replace
from typing import TypeVar

from qflow.lang import syntax
from qflow.lang.program import Program
from qflow.lang.rewrite import rewrite
from qflow.lang.syntax import Node

N = TypeVar("N", bound=Node)

_PATHS = {
    ("model", "checkpoint"),
    ("model", "file"),
    ("sensitivity", "table"),
    ("data", "source"),
    ("scales", "map"),
}
"""Fields that hold a path, which is relative to the folder of the file it stands in."""
_BLOCKS = {("qconfig", "base"), ("sensitivity", "candidate"), ("sensitivity", "data")}
"""Fields that name a block."""


def qualified(program: Program, alias: str, folder: str) -> Program:
    """The named items of `program`: `w8a8` becomes `alias.w8a8` wherever it stands.

    `folder` is that of the imported file, seen from the folder of the importing one: paths are
    rewritten to begin there.
    """
    names = _Names(program, alias, folder)

    def blocks(found: tuple[syntax.Block, ...]) -> tuple[syntax.Block, ...]:
        return tuple(names.block(b) for b in found)

    return replace(
        program,
        params=tuple(names.param(p) for p in program.params),
        models=blocks(program.models),
        targets=blocks(program.targets),
        data=blocks(program.data),
        qconfigs=blocks(program.qconfigs),
        sensitivities=blocks(program.sensitivities),
        offered=blocks(program.offered),
        rule_sets=tuple(
            replace(names.inside(r), name=f"{alias}.{r.name}") for r in program.rule_sets
        ),
        sweeps=tuple(names.sweep(s) for s in program.sweeps),
        imported=tuple(sorted(below(folder, path) for path in program.imported)),
        scopes=(alias, *(f"{alias}.{scope}" for scope in program.scopes)),
    )


def below(folder: str, path: str) -> str:
    """A path that was relative to `folder`, relative to where `folder` itself is seen from."""
    if not path or posixpath.isabs(path) or "://" in path:
        return path
    return posixpath.normpath(posixpath.join(folder, path)) if folder else path


class _Names:
    """What is a name in one imported file."""

    def __init__(self, program: Program, alias: str, folder: str) -> None:
        self._alias = alias
        self._folder = folder
        self._params = {p.name for p in program.params}

    def inside(self, node: N) -> N:
        return rewrite(node, self._change)

    def block(self, block: syntax.Block) -> syntax.Block:
        fields = tuple(self._field(block.kind, f) for f in block.fields)
        refines = self.block(block.refines) if block.refines else None
        return replace(block, name=self._own(block.name), fields=fields, refines=refines)

    def param(self, param: syntax.Param) -> syntax.Param:
        def value(node: Node) -> Node | None:
            match node:
                case syntax.String() if param.type == "path":
                    return replace(node, value=below(self._folder, node.value))
                case syntax.Name() if param.type == "qconfig":
                    return replace(node, value=self._own(node.value))
            return None

        domain = rewrite(param.domain, value) if param.domain else None
        name = self._own(param.name)
        return replace(param, name=name, value=rewrite(param.value, value), domain=domain)

    def sweep(self, sweep: syntax.Sweep) -> syntax.Sweep:
        """Its fields are params."""
        kinds = tuple(replace(f, name=self._own(f.name)) for f in sweep.fields)
        return replace(sweep, name=self._own(sweep.name), fields=kinds)

    def _own(self, name: str) -> str:
        return f"{self._alias}.{name}"

    def _field(self, kind: str, field: syntax.Field) -> syntax.Field:
        value = field.value
        match (kind, field.name), value:
            case place, syntax.Name(value=name) if place in _BLOCKS:
                return replace(field, value=replace(value, value=self._own(name)))
            case place, syntax.String(value=text) if place in _PATHS:
                return replace(field, value=replace(value, value=below(self._folder, text)))
        return self.inside(field)

    def _change(self, node: Node) -> Node | None:
        match node:
            case syntax.Name(value=name) if name in self._params:
                return replace(node, value=self._own(name))
            case syntax.TensorType(dims=dims):
                return replace(
                    node, dims=tuple(self._own(d) if d in self._params else d for d in dims)
                )
            case syntax.UseAction(qconfig=name, fields=fields):
                own = tuple(self.inside(f) for f in fields)
                return replace(node, qconfig=self._own(name), fields=own)
            case syntax.ScalesAction(source=source, fields=fields):
                own = tuple(self._field("scales", f) for f in fields)
                return replace(node, source=self._source(source), fields=own)
            case syntax.ApplyRule(rules=name):
                return replace(node, rules=self._own(name))
            case syntax.Call(args=args):
                return replace(node, args=tuple(map(self._argument, args)))
        return None

    def _source(self, source: syntax.String | syntax.Name) -> syntax.String | syntax.Name:
        """The table of `scales from`: a path, or a param that holds one."""
        if isinstance(source, syntax.String):
            return replace(source, value=below(self._folder, source.value))
        return self.inside(source)

    def _argument(
        self, argument: syntax.String | syntax.Number | syntax.Name | syntax.Keyword
    ) -> syntax.String | syntax.Number | syntax.Name | syntax.Keyword:
        """What stands in order names blocks; keywords are values."""
        if isinstance(argument, syntax.Name):
            return replace(argument, value=self._own(argument.value))
        return self.inside(argument)
