"""rulesets: `apply NAME` becomes the rules of `rules NAME`, each with the span of its line."""

from collections.abc import Iterator
from dataclasses import replace

from qflow import registry
from qflow.compile.unit import Unit
from qflow.compile.values import unknown
from qflow.diagnostics import Diagnostic, Label, Span
from qflow.lang import syntax
from qflow.lang.program import Program


def expand(unit: Unit) -> Unit:
    """Rewrites `quantize`; behind this there is no `apply`.

    QF110 an unknown set, QF119 one that applies itself, QF121 one applied never or twice.
    """
    program = unit.program
    if not program.rule_sets and not any(_applies(q.rules) for q in program.quantizes):
        return unit
    expanding = _Expanding(program)
    quantizes = tuple(
        replace(q, rules=tuple(expanding.rules(q.rules, ()))) for q in program.quantizes
    )
    idle = () if program.only_names else _idle(program, expanding.applied, _meant(expanding))
    found = [*expanding.found, *idle]
    return replace(unit, program=replace(program, quantizes=quantizes)).having(found)


def _applies(rules: tuple[syntax.Rule, ...]) -> bool:
    return any(isinstance(rule, syntax.ApplyRule) for rule in rules)


def _at(rule: syntax.ApplyRule) -> Span:
    return rule.rules_span or rule.span


class _Expanding:
    def __init__(self, program: Program) -> None:
        self.sets = {s.name: s for s in reversed(program.rule_sets)}
        self.applied: dict[str, Span] = {}
        """Set to the place of its first `apply`."""
        self.found: list[Diagnostic] = []

    def rules(
        self, rules: tuple[syntax.Rule, ...], chain: tuple[str, ...]
    ) -> Iterator[syntax.DefaultRule | syntax.MatchRule]:
        for rule in rules:
            if isinstance(rule, syntax.ApplyRule):
                yield from self._set(rule, chain)
            else:
                yield rule

    def _set(
        self, rule: syntax.ApplyRule, chain: tuple[str, ...]
    ) -> Iterator[syntax.DefaultRule | syntax.MatchRule]:
        name = rule.rules
        found = self.sets.get(name)
        if found is None:
            self.found.append(unknown("`rules` set", name, self.sets, _at(rule)))
        elif name in chain:
            way = " -> ".join((*chain[chain.index(name) :], name))
            self.found.append(
                Diagnostic(
                    "QF119",
                    f"`rules {name}` applies itself: {way}",
                    at=_at(rule),
                    also=(Label(found.name_span or found.span, "defined here"),),
                    help="take this line out: a set stands for its rules once",
                    about=name,
                )
            )
        elif name in self.applied:
            self.found.append(_again(rule, self.applied[name]))
        else:
            self.applied[name] = _at(rule)
            yield from self.rules(found.rules, (*chain, name))


def _again(rule: syntax.ApplyRule, first: Span) -> Diagnostic:
    return Diagnostic(
        "QF121",
        f"`rules {rule.rules}` is applied twice",
        at=_at(rule),
        also=(Label(first, "first here"),),
        help="apply it once, where its rules must have the last word",
        about=rule.rules,
    )


def _meant(expanding: _Expanding) -> frozenset[str]:
    """Sets that an `apply` misspells, and what they apply: it only looks as if nothing did."""
    words = [d.about for d in expanding.found if d.code == "QF110"]
    names = tuple(expanding.sets)
    waiting = [near for word in words for near in registry.nearest(word, names)[:1]]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in expanding.sets and name not in found:
            found.add(name)
            rules = expanding.sets[name].rules
            waiting += [r.rules for r in rules if isinstance(r, syntax.ApplyRule)]
    return frozenset(found)


def _idle(
    program: Program, applied: dict[str, Span], meant: frozenset[str]
) -> Iterator[Diagnostic]:
    """Sets of the file itself that nothing applies; others may offer more than is used."""
    for found in program.rule_sets:
        if found.name not in (applied.keys() | meant) and program.is_own(found.span):
            yield Diagnostic(
                "QF121",
                f"nothing applies `rules {found.name}`",
                at=found.name_span or found.span,
                help=f"write `apply {found.name}` into `quantize`, or delete the set",
                severity="warning",
                about=found.name,
            )
