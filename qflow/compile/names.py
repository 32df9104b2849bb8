"""names: every name is defined once, every name points at a definition, no block is missing."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from qflow.compile import builtin
from qflow.compile.unit import Unit
from qflow.compile.values import twice, unknown
from qflow.diagnostics import Diagnostic, Span
from qflow.lang import syntax
from qflow.lang.program import Program

Named: TypeAlias = tuple[str, Span]


def resolve(unit: Unit) -> Unit:
    """QF114, QF110 for data and qconfigs, QF111 for names that are taken, QF115."""
    program = unit.program
    return unit.having(
        [*_doubles(program), *_taken(program), *missing(program), *_dangling(program)]
    )


def _doubles(program: Program) -> Iterator[Diagnostic]:
    blocks = (program.data, program.qconfigs, program.sensitivities)
    kinds: list[tuple[str, Sequence[Named]]] = [
        ("param", [(p.name, p.span) for p in program.params]),
        *((b[0].kind, [(x.name, x.name_span) for x in b]) for b in blocks if b),
        ("export", [(e.name, e.name_span) for e in program.exports]),
        ("stage", [(s.name, s.span) for x in program.schedules for s in x.stages]),
        ("rules", [(r.name, r.span) for r in program.rule_sets]),
        ("sweep", [(s.name, s.span) for s in program.sweeps]),
    ]
    for kind, named in kinds:
        first: dict[str, Span] = {}
        for name, span in named:
            if name in first:
                yield twice(f"{kind} `{name}`", span, first[name])
            first.setdefault(name, span)


OWN_STAGES = ("trace", "prepare", "convert", "export", "verify")
"""Stages every run has; artifacts, hashes and the summary tell stages apart by name alone."""


def _taken(program: Program) -> Iterator[Diagnostic]:
    for stage in (s for x in program.schedules for s in x.stages):
        if stage.name in OWN_STAGES:
            yield Diagnostic(
                "QF111",
                f"every run has a stage `{stage.name}` of its own",
                at=stage.span,
                help="give this one another name",
            )
    for param in program.params:
        if param.name in ("true", "false"):
            yield Diagnostic(
                "QF111",
                f"`{param.name}` is a value, not a name for a param",
                at=param.span,
                help="give it another name",
            )
    qconfigs = {q.name: q.name_span for q in program.qconfigs}
    for param in program.params:
        # both are names of what a rule uses
        if param.name in qconfigs:
            yield twice(f"`{param.name}`", qconfigs[param.name], param.name_span or param.span)


_ONE = (
    ("model", "models", 'model NAME { entry = "package.module:function"; ... }'),
    ("target", "targets", 'target NAME { march = "nash-m" }'),
    ("quantize", "quantizes", "quantize { default use w8a8 }"),
    ("schedule", "schedules", "schedule { stage calibrate on DATA { ... } }"),
)


def missing(program: Program) -> Iterator[Diagnostic]:
    """QF115 for a block without which there is no plan, QF114 for one that is there twice."""
    start = Span(program.path, 1, 1, 1, 1)
    for kind, attribute, example in _ONE:
        found: Sequence[syntax.Node] = getattr(program, attribute)
        if not found:
            offered = next((b.name for b in program.offered if b.kind == kind), None)
            written = f"{kind} {offered} {{}}" if offered else example
            notes = (f"a file it imports offers `{offered}`",) if offered else ()
            help_ = f"write `{written}`"
            yield Diagnostic(
                "QF115", f"there is no `{kind}` block", at=start, notes=notes, help=help_
            )
        yield from _extra(kind, found)
    yield from _extra("graph", program.graphs)
    yield from _extra("check", program.checks)


def _extra(kind: str, found: Sequence[syntax.Node]) -> Iterator[Diagnostic]:
    for second in found[1:]:
        yield twice(f"the `{kind}` block", second.span, found[0].span)


def _dangling(program: Program) -> Iterator[Diagnostic]:
    data = [d.name for d in program.data]
    offered = [*data, *(b.name for b in program.offered if b.kind == "data")]
    for stage in (s for x in program.schedules for s in x.stages):
        if stage.data not in data:
            yield unknown("data block", stage.data, offered, stage.data_span or stage.span)
    for claim in (a for c in program.checks for a in c.assertions):
        if claim.data is not None and claim.data not in data:
            yield unknown("data block", claim.data, offered, claim.data_span or claim.span)
    qconfigs = known_qconfigs(program)
    chosen = {p.name for p in program.params if p.type == "qconfig"}
    for name, span in _used(program):
        if name not in qconfigs and name not in chosen:
            yield unknown("qconfig", name, {*qconfigs, *chosen}, span)


def known_qconfigs(program: Program) -> tuple[str, ...]:
    """Every qconfig a rule may use: those of the file, what it imports, and the built-in ones."""
    scopes = ("", *(f"{scope}." for scope in program.scopes))
    every = [f"{scope}{name}" for scope in scopes for name in builtin.names()]
    return tuple(sorted({*every, *(q.name for q in program.qconfigs)}))


def _used(program: Program) -> Iterable[Named]:
    sets: list[syntax.Quantize | syntax.RuleSet] = [*program.quantizes, *program.rule_sets]
    rules = [r for s in sets for r in s.rules]
    actions = [r.action for r in rules if not isinstance(r, syntax.ApplyRule)]
    used = [a for a in actions if isinstance(a, syntax.UseAction)]
    return [(a.qconfig, a.qconfig_span or a.span) for a in used]
