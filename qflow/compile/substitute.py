"""substitute: a bare name that is a param becomes its value, wherever a value stands."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from qflow.compile.unit import Unit
from qflow.compile.words import QCONFIG
from qflow.diagnostics import Span
from qflow.lang import syntax
from qflow.lang.program import Program
from qflow.lang.rewrite import rewrite
from qflow.lang.syntax import Node
from qflow.plan.plan import Scalar

N = TypeVar("N", bound=Node)
_STRINGS = ("string", "path")


def values(unit: Unit) -> Unit:
    """Rewrites the program; later passes see no params. Names that are no values stay."""
    given = dict(unit.params)
    program = unit.program
    params = {
        p.name: _literal(p.type, given[p.name], p.span) for p in program.params if p.name in given
    }
    if not params:
        return unit
    put = _Put(params, program)
    program = replace(
        program,
        models=put.all(program.models),
        targets=put.all(program.targets),
        data=put.all(program.data),
        sensitivities=put.all(program.sensitivities),
        qconfigs=put.all(program.qconfigs),
        exports=put.all(program.exports),
        graphs=put.all(program.graphs),
        quantizes=put.all(program.quantizes),
        schedules=put.all(program.schedules),
        checks=put.all(program.checks),
    )
    return replace(unit, program=program)


class _Put:
    """Values in place of names. A name without a dot means a param in the file itself only."""

    def __init__(self, params: Mapping[str, syntax.Value], program: Program) -> None:
        self._params = params
        self._is_own = program.is_own
        self._qconfigs = {p.name for p in program.params if p.type == QCONFIG}

    def all(self, nodes: tuple[N, ...]) -> tuple[N, ...]:
        return tuple(self._inside(n) for n in nodes)

    def _inside(self, node: N) -> N:
        return rewrite(node, self._change)

    def _value(self, name: str, at: Span) -> syntax.Value | None:
        return self._params.get(name) if "." in name or self._is_own(at) else None

    def _change(self, node: Node) -> Node | None:
        match node:
            case syntax.Name(value=name):
                value = self._value(name, node.span)
                return node if value is None else replace(value, span=node.span)
            case syntax.TensorType(dims=dims):
                return replace(node, dims=tuple(self._dim(d, node.span) for d in dims))
            case syntax.UseAction(qconfig=name, fields=fields):
                word = self._value(name, node.span) if name in self._qconfigs else None
                chosen = word.value if isinstance(word, syntax.Name) else name
                return replace(node, qconfig=chosen, fields=self.all(fields))
            case syntax.Call(args=args):
                return replace(node, args=tuple(self._argument(a) for a in args))
            case syntax.IsClaim(dtype=name):
                dtype = self._value(name, node.span)
                return replace(node, dtype=dtype.value) if isinstance(dtype, syntax.Name) else node
            case syntax.CompareClaim(value=compared):
                # the left side names what is measured
                return replace(node, value=self._inside(compared))
        return None

    def _argument(
        self, argument: syntax.String | syntax.Number | syntax.Name | syntax.Keyword
    ) -> syntax.String | syntax.Number | syntax.Name | syntax.Keyword:
        """Keywords are values; what stands in order names blocks."""
        return self._inside(argument) if isinstance(argument, syntax.Keyword) else argument

    def _dim(self, dim: int | str, at: Span) -> int | str:
        """A named dimension is free unless an int param has that name."""
        given = self._value(dim, at) if isinstance(dim, str) else None
        if isinstance(given, syntax.Number) and isinstance(given.value, int):
            return given.value
        return dim


def _literal(type_: str, value: Scalar, span: Span) -> syntax.Value:
    """string and path params stand for strings; words are words, in quotes where they need them."""
    if isinstance(value, bool):
        return syntax.Name("true" if value else "false", span=span)
    if isinstance(value, (int, float)):
        return syntax.Number(value, repr(value), span=span)
    word = type_ not in _STRINGS and all(part.isidentifier() for part in value.split("."))
    return syntax.Name(value, span=span) if word else syntax.String(value, span=span)
