"""writer: a Program as canonical YAML: one decision on one line, in one order of keys."""

from collections.abc import Iterator, Sequence

from qflow.diagnostics import Diagnostic, Label, QflowError, Span
from qflow.lang import syntax
from qflow.lang.program import Program
from qflow.lang.yaml import flow
from qflow.lang.yaml.flow import key, mapping, quoted, value, word

Lines = Iterator[str]
_STEP = "  "


def show(program: Program) -> str:
    """The YAML of a program, with a last newline.

    Raises QflowError QF114 when something is there twice: such a program is none, and YAML has no
    words for it.
    """
    if found := list(_doubles(program)):
        raise QflowError(tuple(found))
    return "\n".join(_lines(program)) + "\n"


def _lines(program: Program) -> Lines:
    yield f"qflow: {program.edition}"
    # in the order their first items were written in; what has no place keeps that of `_sections`
    for _, section in sorted(_sections(program), key=lambda placed: placed[0]):
        lines = list(section)
        if lines:
            yield ""
            yield from lines


def _sections(program: Program) -> Iterator[tuple[tuple[int, int], Lines]]:
    """Each with the place of its first item."""
    *blocks, exports = _blocks(program)
    yield _place(program.uses), _uses(program.uses)
    yield _place(program.params), _under("params", (_param(p) for p in program.params))
    for kind, named in blocks:
        yield _place(named), _under(kind, (line for b in named for line in _block(b)))
    for graph in program.graphs:
        yield _place([graph]), _listed("graph", [_graph_statement(s) for s in graph.statements])
    sets = (line for s in program.rule_sets for line in _rule_set(s))
    yield _place(program.rule_sets), _under("rule_sets", sets)
    for quantize in program.quantizes:
        yield _place([quantize]), _quantize(quantize)
    for schedule in program.schedules:
        yield _place([schedule]), _schedule(schedule)
    for check in program.checks:
        yield _place([check]), _listed("check", [_assertion(a) for a in check.assertions])
    kind, named = exports
    yield _place(named), _under(kind, (line for b in named for line in _block(b)))
    yield _place(program.sweeps), _under("sweep", (_sweep(s) for s in program.sweeps))


def _place(items: Sequence[syntax.Item]) -> tuple[int, int]:
    return min(((i.span.line, i.span.column) for i in items), default=(0, 0))


def _blocks(program: Program) -> tuple[tuple[str, tuple[syntax.Block, ...]], ...]:
    return (
        ("model", program.models),
        ("target", program.targets),
        ("data", program.data),
        ("qconfig", program.qconfigs),
        ("sensitivity", program.sensitivities),
        ("export", program.exports),
    )


def _under(name: str, lines: Lines) -> Lines:
    inner = list(lines)
    if inner:
        yield f"{name}:"
        yield from (f"{_STEP}{line}" for line in inner)


def _listed(name: str, items: Sequence[str]) -> Lines:
    yield f"{name}:" if items else f"{name}: []"
    yield from (f"{_STEP}- {item}" for item in items)


def _uses(uses: tuple[syntax.Use, ...]) -> Lines:
    if all(u.alias is not None for u in uses):
        yield from _under("use", (f"{key(str(u.alias))}: {flow.text(u.path)}" for u in uses))
        return
    items = []
    for use in uses:
        alias = [("as", word(use.alias))] if use.alias is not None else []
        items.append(mapping([("file", quoted(use.path)), *alias]))
    yield from _listed("use", items)


def _param(param: syntax.Param) -> str:
    entries = [("type", word(param.type)), ("value", value(param.value))]
    match param.domain:
        case syntax.Range(low=low, high=high):
            entries.append(("in", f"{low.text}..{high.text}"))
        case syntax.List():
            entries.append(("in", value(param.domain)))
    return f"{key(param.name)}: {mapping(entries)}"


def _block(block: syntax.Block) -> Lines:
    entries = [("path", quoted(block.path.value))] if block.path else []
    entries += flow.fields(block.fields, ("path",), qconfig=block.kind == "qconfig")
    if not entries:
        yield f"{key(block.name)}: {{}}"
        return
    yield f"{key(block.name)}:"
    yield from (f"{_STEP}{key(name)}: {text}" for name, text in entries)


def _graph_statement(statement: syntax.Wrap | syntax.Leaf | syntax.Fuse) -> str:
    match statement:
        case syntax.Wrap():
            return mapping([("wrap", quoted(statement.target))])
        case syntax.Leaf():
            return mapping(flow.selected("leaf", statement.selector))
        case syntax.Fuse():
            pattern = " + ".join(statement.pattern)
            shown = word(pattern) if len(statement.pattern) == 1 else pattern
            return mapping([("fuse", shown), *flow.within(statement.within)])


def _rule_set(rules: syntax.RuleSet) -> Lines:
    yield from _listed(key(rules.name), [_rule(r) for r in rules.rules])


def _quantize(quantize: syntax.Quantize) -> Lines:
    sets = [r.rules for r in quantize.rules if isinstance(r, syntax.ApplyRule)]
    if sets and len(sets) == len(quantize.rules):
        yield f"order: [{', '.join(map(word, sets))}]"
        return
    yield from _listed("quantize", [_rule(r) for r in quantize.rules])


def _rule(rule: syntax.Rule) -> str:
    match rule:
        case syntax.DefaultRule():
            return mapping([("default", mapping(_action(rule.action)))])
        case syntax.ApplyRule():
            return mapping([("apply", word(rule.rules))])
        case syntax.MatchRule():
            entries = flow.selected("match", rule.selector)
            entries += [("optional", "true")] if rule.optional else []
            entries += [("expect", str(rule.expect))] if rule.expect is not None else []
            return mapping([*entries, *_action(rule.action)])


def _action(action: syntax.Action) -> list[tuple[str, str]]:
    match action:
        case syntax.UseAction():
            changes = mapping(flow.fields(action.fields, qconfig=True))
            more = [("with", changes)] if action.fields else []
            return [("use", word(action.qconfig)), *more]
        case syntax.PatchAction():
            return [("patch", mapping(flow.fields(action.fields, qconfig=True)))]
        case syntax.FloatAction():
            return [("float", "true")]
        case syntax.ScalesAction():
            changes = mapping(flow.fields(action.fields))
            more = [("with", changes)] if action.fields else []
            return [("scales_from", value(action.source)), *more]


def _schedule(schedule: syntax.Schedule) -> Lines:
    if not schedule.stages:
        yield "schedule: []"
        return
    yield "schedule:"
    for stage in schedule.stages:
        yield from (f"{_STEP}{line}" for line in _stage(stage))


def _stage(stage: syntax.Stage) -> Lines:
    yield f"- stage: {word(stage.name)}"
    yield f"  data: {word(stage.data)}"
    if stage.epochs is not None:
        yield f"  epochs: {value(stage.epochs)}"
    first = next(
        (i for i, s in enumerate(stage.statements) if not isinstance(s, syntax.Field)),
        len(stage.statements),
    )
    before, steps = stage.statements[:first], stage.statements[first:]
    if before:
        yield "  set:"
        given = tuple(s for s in before if isinstance(s, syntax.Field))
        yield from (f"    {key(name)}: {text}" for name, text in flow.fields(given))
    if steps:
        yield "  do:"
        yield from (f"    - {_step(s)}" for s in steps)


def _step(step: syntax.StageStatement) -> str:
    match step:
        case syntax.Field():
            return mapping([("set", mapping(flow.fields((step,))))])
        case syntax.SetState():
            what, chosen = "state", str(step.state)
        case syntax.Freeze():
            what, chosen = "freeze", str(step.what)
    since = [("from_epoch", value(step.from_epoch))] if step.from_epoch is not None else []
    return mapping([(what, chosen), *flow.selected("of", step.selector), *since])


def _assertion(assertion: syntax.Assertion) -> str:
    data = [("data", word(assertion.data))] if assertion.data is not None else []
    return mapping([(assertion.severity, flow.fragment(assertion.claim)), *data])


def _sweep(sweep: syntax.Sweep) -> str:
    zipped = [("zip", "true")] if sweep.zip else []
    return f"{key(sweep.name)}: {mapping([*zipped, *flow.fields(sweep.fields, ('zip',))])}"


def _doubles(program: Program) -> Iterator[Diagnostic]:
    groups: list[tuple[str, list[tuple[str, Span]]]] = [
        ("param", [(p.name, p.span) for p in program.params]),
        *((kind, [(b.name, b.name_span) for b in blocks]) for kind, blocks in _blocks(program)),
        ("rules", [(r.name, r.span) for r in program.rule_sets]),
        ("sweep", [(s.name, s.span) for s in program.sweeps]),
    ]
    aliased = [(u.alias, u.span) for u in program.uses if u.alias is not None]
    if len(aliased) == len(program.uses):
        groups.append(("use", aliased))
    for kind, nodes in (
        ("graph", program.graphs),
        ("quantize", program.quantizes),
        ("schedule", program.schedules),
        ("check", program.checks),
    ):
        groups.append(("the block", [(kind, n.span) for n in nodes]))
    for kind, named in [*groups, *_fields(program)]:
        first: dict[str, Span] = {}
        for name, span in named:
            if name in first:
                also = (Label(first[name], "first here"),)
                yield Diagnostic("QF114", f"{kind} `{name}` is defined twice", at=span, also=also)
            first.setdefault(name, span)


def _fields(program: Program) -> Iterator[tuple[str, list[tuple[str, Span]]]]:
    for fields in _bodies(program):
        yield "field", [(f.name, f.name_span) for f in fields]


def _bodies(program: Program) -> Iterator[tuple[syntax.Field, ...]]:
    yield from (b.fields for _, blocks in _blocks(program) for b in blocks)
    yield from (s.fields for s in program.sweeps)
    sets: list[syntax.Quantize | syntax.RuleSet] = [*program.quantizes, *program.rule_sets]
    for rule in (r for s in sets for r in s.rules):
        if not isinstance(rule, syntax.ApplyRule) and not isinstance(
            rule.action, syntax.FloatAction
        ):
            yield rule.action.fields
    for stage in (s for x in program.schedules for s in x.stages):
        statements = stage.statements
        first = next(
            (i for i, s in enumerate(statements) if not isinstance(s, syntax.Field)),
            len(statements),
        )
        yield tuple(s for s in statements[:first] if isinstance(s, syntax.Field))
