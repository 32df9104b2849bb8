"""refine: the program of a file and the programs it imports become one.

A block named after an imported one refines it: it takes its place, with the fields it changes.
Blocks without a name of their own (`quantize`, `schedule`, `graph`, `check`, `export`) stay in
their file; the model and the target are those the file itself has.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from qflow import registry
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.lang.program import Program
from qflow.lang.rewrite import walk
from qflow.lang.syntax import Node

Blocks = tuple[syntax.Block, ...]


def merged(
    program: Program,
    parts: Sequence[tuple[str, Program]],
    files: Iterable[str],
    unread: Collection[str] = (),
) -> tuple[Program, tuple[Diagnostic, ...]]:
    """`program` with its imports, alias and qualified program each; QF110 for a name not there.

    `unread`: aliases of files in which something is wrong, so that nobody knows their names.
    """
    found: list[Diagnostic] = []
    aliases = [alias for alias, _ in parts]

    def own(blocks: Blocks, imported: Blocks) -> Blocks:
        known = {b.name: b for b in imported}
        done = []
        for block in blocks:
            if block.name.partition(".")[0] not in unread:
                found.extend(_stranger(block, known, aliases))
            base = known.get(block.name)
            done.append(_refined(block, base) if base is not None else block)
        return tuple(done)

    def both(blocks: Blocks, imported: Blocks) -> Blocks:
        mine = own(blocks, imported)
        names = {b.name for b in mine}
        return (*(b for b in imported if b.name not in names), *mine)

    programs = [p for _, p in parts]
    targets = tuple(t for p in programs for t in (*p.targets, *_of(p.offered, "target")))
    models = tuple(m for p in programs for m in (*p.models, *_of(p.offered, "model")))
    whole = replace(
        program,
        params=(*(x for p in programs for x in p.params), *program.params),
        models=own(program.models, models),
        targets=own(program.targets, targets),
        data=both(program.data, tuple(d for p in programs for d in p.data)),
        qconfigs=both(program.qconfigs, tuple(q for p in programs for q in p.qconfigs)),
        sensitivities=both(
            program.sensitivities, tuple(s for p in programs for s in p.sensitivities)
        ),
        rule_sets=(*(r for p in programs for r in p.rule_sets), *program.rule_sets),
        sweeps=(*(s for p in programs for s in p.sweeps), *program.sweeps),
        scopes=tuple(x for p in programs for x in p.scopes),
        imported=tuple(sorted(set(files))),
    )
    taken = {b.name for b in (*whole.models, *whole.targets)}
    offered = tuple(b for b in (*models, *targets) if b.name not in taken)
    return replace(whole, offered=offered), tuple(found)


def used(program: Program) -> Program:
    """Without the data and sensitivity blocks of other files that nothing here uses.

    What is in a plan is loaded and measured; importing a name must not cost that.
    """
    wanted = _wanted(program)
    blocks = (*program.data, *program.sensitivities)
    idle = tuple(b for b in blocks if not program.is_own(b.span) and b.name not in wanted)
    names = {b.name for b in idle}
    return replace(
        program,
        data=tuple(b for b in program.data if b.name not in names),
        sensitivities=tuple(b for b in program.sensitivities if b.name not in names),
        offered=(*program.offered, *idle),
    )


def _of(blocks: Blocks, kind: str) -> Blocks:
    return tuple(b for b in blocks if b.kind == kind)


def _refined(block: syntax.Block, base: syntax.Block) -> syntax.Block:
    if block.kind == "qconfig":
        # a new observer takes the settings of the old one with it: whoever resolves knows how
        return replace(block, refines=base)
    changed = {f.name for f in block.fields}
    return replace(
        block, fields=(*(f for f in base.fields if f.name not in changed), *block.fields)
    )


def _stranger(
    block: syntax.Block, known: dict[str, syntax.Block], aliases: list[str]
) -> Iterator[Diagnostic]:
    """A name with a dot means a block of another file."""
    alias, dot, _ = block.name.partition(".")
    if not dot or block.name in known:
        return
    at = block.name_span
    if alias in aliases:
        near = registry.nearest(block.name, tuple(sorted(known)))
        listed = f"the nearest: {', '.join(f'`{n}`' for n in near)}" if near else ""
        message = f"there is no {block.kind} `{block.name}` to refine"
        yield Diagnostic("QF110", message, at=at, notes=(listed,) if listed else ())
        return
    near = registry.nearest(alias, tuple(aliases))
    yield Diagnostic(
        "QF110",
        f"no imported file is called `{alias}`",
        at=at,
        notes=(f"the nearest: {', '.join(f'`{n}`' for n in near)}",) if near else (),
        help=f'write `use "file.qf" as {alias}` at the top, or a name without a dot',
    )


def _wanted(program: Program) -> frozenset[str]:
    """Every name the file itself leads to, over rule sets and sensitivity blocks."""
    blocks: dict[str, Node] = {s.name: s for s in program.sensitivities}
    sets: dict[str, Node] = {r.name: r for r in program.rule_sets}
    own = (
        *program.models,
        *program.targets,
        *program.graphs,
        *program.quantizes,
        *program.schedules,
        *program.checks,
        *(b for b in program.data if program.is_own(b.span)),
        *(s for s in program.sensitivities if program.is_own(s.span)),
    )
    found: set[str] = set()
    waiting: list[Node] = list(own)
    while waiting:
        for name in _named(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting += [at[name] for at in (blocks, sets) if name in at]
    return frozenset(found)


def _named(node: Node) -> Iterator[str]:
    for part in walk(node):
        match part:
            case syntax.Name(value=name) | syntax.ApplyRule(rules=name) | syntax.Stage(data=name):
                yield name
            case syntax.Assertion(data=str(name)):
                yield name
