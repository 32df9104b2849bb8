"""unsupported: what the language has and this version cannot do yet, each at its place."""

from collections.abc import Iterator

from qflow.compile import facts
from qflow.compile.unit import Unit
from qflow.compile.values import unknown
from qflow.diagnostics import Diagnostic, Severity, Span
from qflow.lang import syntax
from qflow.lang.program import Program

SELECTORS = "compile.selectors"


def report(unit: Unit) -> Unit:
    """QF120 for every such construct; a `sweep` is a warning, for no run depends on it."""
    program = unit.program
    return unit.having([*_items(program), *_rules(program), *_stages(program), *_graph(program)])


def _not_yet(what: str, at: Span, severity: Severity = "error", help: str = "") -> Diagnostic:
    return Diagnostic("QF120", f"{what} is not supported yet", at, severity=severity, help=help)


def _items(program: Program) -> Iterator[Diagnostic]:
    for use in program.uses:
        yield _not_yet("`use` of another file", use.span, help="copy what you need into this file")
    for rules in program.rule_sets:
        yield _not_yet("a `rules` block", rules.span, help="write its rules into `quantize`")
    for sweep in program.sweeps:
        yield _not_yet("a `sweep` block", sweep.span, "warning", "run the points with `--set`")


def _rules(program: Program) -> Iterator[Diagnostic]:
    for rule in (r for q in program.quantizes for r in q.rules):
        if isinstance(rule, syntax.ApplyRule):
            yield _not_yet("`apply`", rule.span, help="write the rules out here")
            continue
        if isinstance(rule.action, syntax.FloatAction):
            yield _not_yet("a float island, which `float` asks for,", rule.span)
        if isinstance(rule, syntax.MatchRule):
            yield from _unknown(rule.selector)


def _stages(program: Program) -> Iterator[Diagnostic]:
    for stage in (s for x in program.schedules for s in x.stages):
        for statement in stage.statements:
            if not isinstance(statement, syntax.Field):
                yield from _unknown(statement.selector)


def _graph(program: Program) -> Iterator[Diagnostic]:
    leaves = [s for g in program.graphs for s in g.statements if isinstance(s, syntax.Leaf)]
    for leaf in leaves:
        yield from _calls(leaf.selector)
        for atom in leaf.selector.atoms:
            if isinstance(atom, syntax.ByOp) or getattr(atom, "within", None):
                yield _not_yet("a `leaf` that is no address and no type", atom.span)
        if leaf.selector.excluded:
            yield _not_yet("`except` behind `leaf`", leaf.span)


def _unknown(selector: syntax.Selector) -> Iterator[Diagnostic]:
    """QF110 for a selector function there is none of."""
    for atom in (*selector.atoms, *selector.excluded):
        if isinstance(atom, syntax.Call) and atom.function not in facts.known(SELECTORS):
            yield unknown("selector function", atom.function, facts.known(SELECTORS), atom.span)


def _calls(selector: syntax.Selector) -> Iterator[Diagnostic]:
    for atom in (*selector.atoms, *selector.excluded):
        if isinstance(atom, syntax.Call):
            yield _not_yet(f"`{atom.function}` behind `leaf`", atom.span)
