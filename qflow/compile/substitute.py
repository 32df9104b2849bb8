"""substitute: a bare name that is a param becomes its value, wherever a value stands."""

from dataclasses import replace
from typing import TypeVar

from qflow.compile.unit import Unit
from qflow.diagnostics import Span
from qflow.lang import syntax
from qflow.plan.plan import Scalar

Params = dict[str, syntax.Value]
WithFields = TypeVar("WithFields", bound=syntax.Block | syntax.UseAction | syntax.PatchAction)


def values(unit: Unit) -> Unit:
    """Rewrites the program; later passes see no params. Names that are no values stay."""
    given = dict(unit.params)
    program = unit.program
    params = {
        p.name: _literal(p.type, given[p.name], p.span) for p in program.params if p.name in given
    }
    if not params:
        return unit

    def blocks(found: tuple[syntax.Block, ...]) -> tuple[syntax.Block, ...]:
        return tuple(_fields(b, params) for b in found)

    program = replace(
        program,
        models=blocks(program.models),
        targets=blocks(program.targets),
        data=blocks(program.data),
        sensitivities=blocks(program.sensitivities),
        qconfigs=blocks(program.qconfigs),
        exports=blocks(program.exports),
        quantizes=tuple(
            replace(q, rules=tuple(_rule(r, params) for r in q.rules)) for q in program.quantizes
        ),
        schedules=tuple(
            replace(s, stages=tuple(_stage(x, params) for x in s.stages)) for s in program.schedules
        ),
        checks=tuple(
            replace(c, assertions=tuple(_assertion(a, params) for a in c.assertions))
            for c in program.checks
        ),
    )
    return replace(unit, program=program)


def _fields(node: WithFields, params: Params) -> WithFields:
    return replace(node, fields=tuple(_field(f, params) for f in node.fields))


def _field(field: syntax.Field, params: Params) -> syntax.Field:
    return replace(field, value=_value(field.value, params))


def _rule(rule: syntax.Rule, params: Params) -> syntax.Rule:
    if isinstance(rule, syntax.ApplyRule):
        return rule
    if isinstance(rule, syntax.MatchRule):
        rule = replace(rule, selector=_selector(rule.selector, params))
    if isinstance(rule.action, syntax.FloatAction):
        return rule
    return replace(rule, action=_fields(rule.action, params))


def _selector(selector: syntax.Selector, params: Params) -> syntax.Selector:
    """Keywords of selector functions are values; what stands in order names blocks."""

    def atom(found: syntax.Atom) -> syntax.Atom:
        if not isinstance(found, syntax.Call):
            return found
        args = tuple(
            replace(a, value=_value(a.value, params)) if isinstance(a, syntax.Keyword) else a
            for a in found.args
        )
        return replace(found, args=args)

    return replace(
        selector,
        atoms=tuple(atom(a) for a in selector.atoms),
        excluded=tuple(atom(a) for a in selector.excluded),
    )


def _stage(stage: syntax.Stage, params: Params) -> syntax.Stage:
    epochs = None if stage.epochs is None else _value(stage.epochs, params)
    statements = tuple(_statement(s, params) for s in stage.statements)
    return replace(stage, epochs=epochs, statements=statements)


def _statement(statement: syntax.StageStatement, params: Params) -> syntax.StageStatement:
    if isinstance(statement, syntax.Field):
        return _field(statement, params)
    statement = replace(statement, selector=_selector(statement.selector, params))
    if statement.from_epoch is None:
        return statement
    return replace(statement, from_epoch=_value(statement.from_epoch, params))


def _assertion(assertion: syntax.Assertion, params: Params) -> syntax.Assertion:
    claim = assertion.claim
    if isinstance(claim, syntax.IsClaim):
        dtype = params.get(claim.dtype)
        if not isinstance(dtype, syntax.Name):
            return assertion
        return replace(assertion, claim=replace(claim, dtype=dtype.value))
    return replace(assertion, claim=replace(claim, value=_value(claim.value, params)))


def _value(value: syntax.Value, params: Params) -> syntax.Value:
    match value:
        case syntax.Name(value=name) if name in params:
            return replace(params[name], span=value.span)
        case syntax.List():
            return replace(value, items=tuple(_value(v, params) for v in value.items))
        case syntax.Dict():
            entries = tuple((name, _value(v, params)) for name, v in value.entries)
            return replace(value, entries=entries)
        case syntax.TensorType():
            return replace(value, dims=tuple(_dim(d, params) for d in value.dims))
        case _:
            return value


def _dim(dim: int | str, params: Params) -> int | str:
    """A named dimension is free unless an int param has that name."""
    given = params.get(dim) if isinstance(dim, str) else None
    if isinstance(given, syntax.Number) and isinstance(given.value, int):
        return given.value
    return dim


def _literal(type_: str, value: Scalar, span: Span) -> syntax.Value:
    """dtype and bool params stand for words, string and path params for strings."""
    if isinstance(value, bool):
        return syntax.Name("true" if value else "false", span=span)
    if isinstance(value, (int, float)):
        return syntax.Number(value, repr(value), span=span)
    return syntax.Name(value, span=span) if type_ == "dtype" else syntax.String(value, span=span)
