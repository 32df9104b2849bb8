"""qconfigs: every qconfig with its base chain resolved; the file's own shadow the built-in ones."""

from collections.abc import Mapping
from dataclasses import replace

from qflow.compile import builtin
from qflow.compile.qfields import overlay, problems, written
from qflow.compile.unit import Fields, Unit
from qflow.compile.values import WORD, unknown, wrong_kind
from qflow.diagnostics import Diagnostic, Label
from qflow.lang import syntax
from qflow.plan.plan import Decided

_DEFAULTS = {
    "act.scheme": Decided("per_tensor", why="default"),
    "weight.scheme": Decided("per_channel", why="default"),
}


def resolve(unit: Unit) -> Unit:
    """Sets `qconfigs`; one with a problem is left out, so that its users are not judged by it."""
    blocks = {b.name: b for b in reversed(unit.program.qconfigs)}
    aliases = {u.alias for u in unit.program.uses}
    found: list[Diagnostic] = []
    done: dict[str, Fields | None] = {name: _built_in(name) for name in builtin.names()}
    done = {k: v for k, v in done.items() if k not in blocks}
    for name in blocks:
        _resolve(name, blocks, done, found, aliases, ())
    sound = {name: fields for name, fields in sorted(done.items()) if fields is not None}
    return replace(unit, qconfigs=sound).having(found)


def _built_in(name: str) -> Fields:
    values = {k: Decided(v, why=f"qconfig {name}") for k, v in builtin.load(name).items()}
    return {**_DEFAULTS, **values}


def _resolve(
    name: str,
    blocks: Mapping[str, syntax.Block],
    done: dict[str, Fields | None],
    found: list[Diagnostic],
    aliases: set[str | None],
    chain: tuple[str, ...],
) -> Fields | None:
    """The fields of a qconfig; None when something in its chain is wrong, which is in `found`."""
    if name in done:
        return done[name]
    block = blocks[name]
    done[name] = None
    base = next((f for f in block.fields if f.name == "base"), None)
    start: Fields | None = _DEFAULTS
    if base is not None:
        start = _base(block, base, blocks, done, found, aliases, (*chain, name))
    own = [f for f in block.fields if f is not base]
    values, wrong = written(own)
    if start is None:
        found += wrong
        return None
    by = {f.name: f.span for f in own}
    changes = {n: Decided(v, by=by[n], why=f"qconfig {name}") for n, v in values.items()}
    fields = overlay(start, changes)
    spans = {f.name: f.value.span for f in own}
    wrong += [
        p.at(spans.get(p.field, block.name_span))
        for p in problems({k: v.value for k, v in fields.items()})
    ]
    found += wrong
    done[name] = None if wrong else fields
    return done[name]


def _base(
    block: syntax.Block,
    field: syntax.Field,
    blocks: Mapping[str, syntax.Block],
    done: dict[str, Fields | None],
    found: list[Diagnostic],
    aliases: set[str | None],
    chain: tuple[str, ...],
) -> Fields | None:
    base = WORD.of(field.value)
    if base is None:
        found.append(wrong_kind("base", WORD, field.value))
        return None
    if base == block.name and base in builtin.names():
        # a block that shadows a built-in qconfig may still build on it
        return _built_in(base)
    if base in chain:
        found.append(_cycle(base, block, blocks, chain, field))
        return None
    if base in blocks or base in done:
        return _resolve(base, blocks, done, found, aliases, chain)
    if base.split(".")[0] not in aliases:
        names = (*blocks, *builtin.names())
        found.append(unknown("qconfig", base, names, field.value.span))
    return None


def _cycle(
    base: str,
    block: syntax.Block,
    blocks: Mapping[str, syntax.Block],
    chain: tuple[str, ...],
    field: syntax.Field,
) -> Diagnostic:
    way = " -> ".join((*chain[chain.index(base) :], base))
    also = (Label(blocks[base].name_span, "starts here"),) if base != block.name else ()
    return Diagnostic(
        "QF111",
        f"`{block.name}` is its own base: {way}",
        at=field.value.span,
        also=also,
        help="let one of them stand on a built-in qconfig such as `w8a8`",
    )
