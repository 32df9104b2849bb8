"""calls: every selector function becomes the addresses it covers, wherever a selector stands."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from qflow import registry
from qflow.compile import facts
from qflow.compile.selectors import Selected
from qflow.compile.unit import StageSpec, Unit
from qflow.compile.values import unknown
from qflow.diagnostics import Diagnostic, Span
from qflow.lang import syntax
from qflow.lang.rewrite import walk

KIND = "compile.selectors"
Selecting = TypeVar("Selecting", syntax.MatchRule, syntax.SetState, syntax.Freeze)


def known(unit: Unit) -> Unit:
    """QF110 for a selector function there is none of, in rules and stages."""
    program = unit.program
    nodes = (*program.quantizes, *program.rule_sets, *program.schedules)
    selectors = [n for node in nodes for n in walk(node) if isinstance(n, syntax.Selector)]
    names = facts.known(KIND)
    return unit.having(
        unknown("selector function", atom.function, names, atom.span)
        for selector in selectors
        for atom in (*selector.atoms, *selector.excluded)
        if isinstance(atom, syntax.Call) and atom.function not in names
    )


def resolve(unit: Unit) -> Unit:
    """Rewrites rules and stages, and sets `budgets`.

    A call whose addresses nobody knows stays as it is: it covers nothing and is not reported again.
    """
    if unit.inventory is None:
        return unit
    resolver = _Resolver(unit)
    quantizes = tuple(
        replace(
            q,
            rules=tuple(resolver.of(r) if isinstance(r, syntax.MatchRule) else r for r in q.rules),
        )
        for q in unit.program.quantizes
    )
    stages = tuple(_stage(s, resolver) for s in unit.stages)
    program = replace(unit.program, quantizes=quantizes)
    budgets = frozenset(resolver.budgets)
    return replace(unit, program=program, stages=stages, budgets=budgets).having(resolver.found)


def _stage(stage: StageSpec, resolver: "_Resolver") -> StageSpec:
    return replace(
        stage,
        states=tuple(resolver.of(s) for s in stage.states),
        freezes=tuple(resolver.of(f) for f in stage.freezes),
    )


class _Resolver:
    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self.found: list[Diagnostic] = []
        self.budgets: list[Span] = []

    def of(self, node: Selecting) -> Selecting:
        """The statement with addresses in place of calls."""
        selector = node.selector
        changed = replace(
            selector,
            atoms=tuple(self._atoms(selector.atoms, node)),
            excluded=tuple(self._atoms(selector.excluded, node)),
        )
        return node if changed == selector else replace(node, selector=changed)

    def _atoms(self, atoms: Iterable[syntax.Atom], owner: Selecting) -> Iterable[syntax.Atom]:
        optional = isinstance(owner, syntax.MatchRule) and owner.optional
        for atom in atoms:
            if not isinstance(atom, syntax.Call) or atom.function not in registry.names(KIND):
                yield atom
                continue
            function = registry.load(KIND, atom.function)()
            if function.budget:
                self.budgets.append(owner.span)
            selected: Selected = function.select(atom, self._unit)
            found = [*selected.diagnostics]
            if selected.addresses == () and not function.budget:
                found.append(Diagnostic("QF201", "this matches no module", at=atom.span))
            self.found += [d for d in found if d.code != "QF201" or not optional]
            if selected.addresses is None:
                yield atom
                continue
            for address in selected.addresses:
                yield syntax.ByName(address, span=atom.span)
