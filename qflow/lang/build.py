"""From Lark's parse tree to the frozen nodes of `syntax`, each with its exact span."""

import re
from typing import Any

from lark import Token, Transformer, v_args
from lark.tree import Meta

from qflow.diagnostics import Diagnostic, Span
from qflow.lang import syntax

_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
_MOST_DIGITS = 18
"""Integers beyond this would not fit 64 bits."""


@v_args(meta=True)
class Build(Transformer[Token, Any]):
    """One method per rule of the grammar. What a token cannot mean ends up in `diagnostics`."""

    def __init__(self, path: str, first_line: int) -> None:
        """`first_line` is the line number of the parsed text's first line in its file."""
        super().__init__()
        self._path = path
        self._shift = first_line - 1
        self.diagnostics: list[Diagnostic] = []

    def _span(self, at: Meta | Token) -> Span:
        places = (at.line, at.column, at.end_line, at.end_column)
        assert None not in places, "the lexer gives every token its place"
        return Span(
            self._path,
            (at.line or 0) + self._shift,
            at.column or 0,
            (at.end_line or 0) + self._shift,
            at.end_column or 0,
        )

    def _text(self, token: Token) -> str:
        """What a string in quotes stands for."""

        def escape(match: re.Match[str]) -> str:
            letter = match.group(1)
            if letter not in _ESCAPES:
                self._unknown_escape(token, letter, match.start() + 1)
            return _ESCAPES.get(letter, letter)

        return re.sub(r"\\(.)", escape, str(token)[1:-1])

    def _unknown_escape(self, token: Token, letter: str, at: int) -> None:
        whole = self._span(token)
        span = Span(self._path, whole.line, whole.column + at, whole.line, whole.column + at + 2)
        self.diagnostics.append(
            Diagnostic(
                "QF105",
                f"a string has no escape `\\{letter}`",
                at=span,
                help='write `\\\\` for a backslash; the other escapes are `\\"`, `\\n` and `\\t`',
            )
        )

    def _integer(self, token: Token) -> int:
        if len(token.lstrip("-").lstrip("0")) <= _MOST_DIGITS:
            return int(token)
        self._too_large(token)
        return 0

    def _too_large(self, token: Token) -> None:
        self.diagnostics.append(
            Diagnostic(
                "QF105",
                "this number is too large",
                at=self._span(token),
                label="does not fit 64 bits",
            )
        )

    # Values.

    def name(self, meta: Meta, parts: list[Token]) -> syntax.Name:
        return syntax.Name(".".join(parts), span=self._span(meta))

    def string(self, meta: Meta, parts: list[Token]) -> syntax.String:
        return syntax.String(self._text(parts[0]), span=self._span(meta))

    def number(self, meta: Meta, parts: list[Token]) -> syntax.Number:
        token = parts[0]
        value: int | float = 0
        if token.type == "INTEGER":
            value = self._integer(token)
        else:
            value = float(token)
            if value in (float("inf"), float("-inf")):
                self._too_large(token)
        return syntax.Number(value, str(token), span=self._span(meta))

    def tensor(self, meta: Meta, parts: list[Token]) -> syntax.TensorType:
        dtype, *dims = parts
        sizes = tuple(self._integer(d) if d.type == "INTEGER" else str(d) for d in dims)
        return syntax.TensorType(str(dtype), sizes, span=self._span(meta))

    def sequence(self, meta: Meta, parts: list[Any]) -> syntax.List:
        return syntax.List(tuple(p for p in parts if p is not None), span=self._span(meta))

    def entry(self, meta: Meta, parts: list[Any]) -> tuple[Token, syntax.Value]:
        key, value = parts
        return key, value

    def mapping(self, meta: Meta, parts: list[Any]) -> syntax.Dict:
        entries = [p for p in parts if p is not None]
        return syntax.Dict(
            tuple((str(key), value) for key, value in entries),
            key_spans=tuple(self._span(key) for key, _ in entries),
            span=self._span(meta),
        )

    def keyword(self, meta: Meta, parts: list[Any]) -> syntax.Keyword:
        return syntax.Keyword(str(parts[0]), parts[1], span=self._span(meta))

    def call(self, meta: Meta, parts: list[Any]) -> syntax.Call:
        function, *arguments = parts
        return syntax.Call(str(function), tuple(arguments), span=self._span(meta))

    def field(self, meta: Meta, parts: list[Any]) -> syntax.Field:
        name, value = parts
        return syntax.Field(name.value, value, name_span=name.span, span=self._span(meta))

    def body(self, meta: Meta, parts: list[Any]) -> tuple[syntax.Field, ...]:
        return tuple(p for p in parts if p is not None)

    # Items.

    def edition(self, meta: Meta, parts: list[Token]) -> int:
        return self._integer(parts[0])

    def use(self, meta: Meta, parts: list[Any]) -> syntax.Use:
        path, alias = parts
        return syntax.Use(
            self._text(path),
            str(alias) if alias is not None else None,
            path_span=self._span(path),
            span=self._span(meta),
        )

    def range(self, meta: Meta, parts: list[Any]) -> syntax.Range:
        return syntax.Range(parts[0], parts[1], span=self._span(meta))

    def param(self, meta: Meta, parts: list[Any]) -> syntax.Param:
        name, kind, value, domain = parts
        return syntax.Param(
            str(name),
            str(kind),
            value,
            domain,
            name_span=self._span(name),
            type_span=self._span(kind),
            span=self._span(meta),
        )

    def kind(self, meta: Meta, parts: list[Token]) -> str:
        return str(parts[0])

    def block(self, meta: Meta, parts: list[Any]) -> syntax.Block:
        kind, name, path, fields = parts
        target = None
        if path is not None:
            target = syntax.String(self._text(path), span=self._span(path))
        return syntax.Block(
            kind, name.value, target, fields, name_span=name.span, span=self._span(meta)
        )

    # graph

    def graph(self, meta: Meta, parts: list[Any]) -> syntax.Graph:
        return syntax.Graph(_present(parts), span=self._span(meta))

    def wrap(self, meta: Meta, parts: list[Token]) -> syntax.Wrap:
        return syntax.Wrap(self._text(parts[0]), span=self._span(meta))

    def leaf(self, meta: Meta, parts: list[Any]) -> syntax.Leaf:
        return syntax.Leaf(parts[0], span=self._span(meta))

    def pattern(self, meta: Meta, parts: list[Token]) -> tuple[str, ...]:
        return tuple(str(p) for p in parts)

    def fuse(self, meta: Meta, parts: list[Any]) -> syntax.Fuse:
        return syntax.Fuse(parts[0], self._within(parts[1]), span=self._span(meta))

    def _within(self, token: Token | None) -> str | None:
        return self._text(token) if token is not None else None

    # Selectors.

    def by_name(self, meta: Meta, parts: list[Token]) -> syntax.ByName:
        return syntax.ByName(self._text(parts[0]), span=self._span(meta))

    def by_type(self, meta: Meta, parts: list[Any]) -> syntax.ByType:
        return syntax.ByType(parts[0].value, self._within(parts[1]), span=self._span(meta))

    def by_op(self, meta: Meta, parts: list[Any]) -> syntax.ByOp:
        return syntax.ByOp(parts[0].value, self._within(parts[1]), span=self._span(meta))

    def atoms(self, meta: Meta, parts: list[Any]) -> tuple[syntax.Atom, ...]:
        return tuple(parts)

    def selector(self, meta: Meta, parts: list[Any]) -> syntax.Selector:
        return syntax.Selector(parts[0], parts[1] or (), span=self._span(meta))

    # Rules.

    def rules(self, meta: Meta, parts: list[Any]) -> syntax.RuleSet:
        name, *rules = parts
        return syntax.RuleSet(
            str(name), _present(rules), name_span=self._span(name), span=self._span(meta)
        )

    def quantize(self, meta: Meta, parts: list[Any]) -> syntax.Quantize:
        return syntax.Quantize(_present(parts), span=self._span(meta))

    def use_action(self, meta: Meta, parts: list[Any]) -> syntax.UseAction:
        name, fields = parts
        return syntax.UseAction(
            name.value, fields or (), qconfig_span=name.span, span=self._span(meta)
        )

    def patch_action(self, meta: Meta, parts: list[Any]) -> syntax.PatchAction:
        return syntax.PatchAction(parts[0], span=self._span(meta))

    def float_action(self, meta: Meta, parts: list[Any]) -> syntax.FloatAction:
        return syntax.FloatAction(span=self._span(meta))

    def scales_action(self, meta: Meta, parts: list[Any]) -> syntax.ScalesAction:
        source, fields = parts
        return syntax.ScalesAction(source, fields or (), span=self._span(meta))

    def default_rule(self, meta: Meta, parts: list[Any]) -> syntax.DefaultRule:
        return syntax.DefaultRule(parts[0], span=self._span(meta))

    def optional(self, meta: Meta, parts: list[Token]) -> str:
        return "optional"

    def expect(self, meta: Meta, parts: list[Token]) -> int:
        return self._integer(parts[0])

    def match_rule(self, meta: Meta, parts: list[Any]) -> syntax.MatchRule:
        selector, quota, action = parts
        optional = quota == "optional"
        return syntax.MatchRule(
            selector, action, optional, None if optional else quota, span=self._span(meta)
        )

    def apply_rule(self, meta: Meta, parts: list[Any]) -> syntax.ApplyRule:
        return syntax.ApplyRule(parts[0].value, rules_span=parts[0].span, span=self._span(meta))

    # schedule

    def schedule(self, meta: Meta, parts: list[Any]) -> syntax.Schedule:
        return syntax.Schedule(_present(parts), span=self._span(meta))

    def stage(self, meta: Meta, parts: list[Any]) -> syntax.Stage:
        name, data, epochs, *statements = parts
        return syntax.Stage(
            str(name),
            data.value,
            epochs,
            _present(statements),
            name_span=self._span(name),
            data_span=data.span,
            span=self._span(meta),
        )

    def state_name(self, meta: Meta, parts: list[Token]) -> Token:
        return parts[0]

    def state(self, meta: Meta, parts: list[Any]) -> syntax.SetState:
        selector, state, epoch = parts
        name: Any = str(state)
        return syntax.SetState(
            selector, name, epoch, state_span=self._span(state), span=self._span(meta)
        )

    def frozen(self, meta: Meta, parts: list[Token]) -> str:
        return str(parts[0])

    def freeze(self, meta: Meta, parts: list[Any]) -> syntax.Freeze:
        what, selector, epoch = parts
        return syntax.Freeze(what, selector, epoch, span=self._span(meta))

    # check

    def check(self, meta: Meta, parts: list[Any]) -> syntax.Check:
        return syntax.Check(_present(parts), span=self._span(meta))

    def severity(self, meta: Meta, parts: list[Token]) -> str:
        return str(parts[0])

    def assertion(self, meta: Meta, parts: list[Any]) -> syntax.Assertion:
        severity, claim, data = parts
        return syntax.Assertion(
            severity,
            claim,
            data.value if data is not None else None,
            data_span=data.span if data is not None else None,
            span=self._span(meta),
        )

    def is_claim(self, meta: Meta, parts: list[Any]) -> syntax.IsClaim:
        subject, dtype = parts
        return syntax.IsClaim(subject, dtype.value, dtype_span=dtype.span, span=self._span(meta))

    def compare(self, meta: Meta, parts: list[Any]) -> syntax.CompareClaim:
        return self._comparison(meta, parts, negated=False)

    def no_claim(self, meta: Meta, parts: list[Any]) -> syntax.CompareClaim:
        return self._comparison(meta, parts, negated=True)

    def _comparison(self, meta: Meta, parts: list[Any], negated: bool) -> syntax.CompareClaim:
        subject, operator, value = parts
        written: Any = str(operator)
        return syntax.CompareClaim(subject, written, value, negated, span=self._span(meta))

    # sweep

    def zip(self, meta: Meta, parts: list[Any]) -> bool:
        return True

    def sweep(self, meta: Meta, parts: list[Any]) -> syntax.Sweep:
        name, pairs, fields = parts
        return syntax.Sweep(
            str(name), bool(pairs), fields, name_span=self._span(name), span=self._span(meta)
        )


def _present(parts: list[Any]) -> tuple[Any, ...]:
    """Without the placeholders of what was left out."""
    return tuple(p for p in parts if p is not None)
