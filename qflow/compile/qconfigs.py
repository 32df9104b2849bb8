"""qconfigs: every qconfig with its base chain resolved; the file's own shadow the built-in ones."""

from collections.abc import Mapping
from dataclasses import replace

from qflow.compile import builtin
from qflow.compile.qfields import overlay, problems, written
from qflow.compile.unit import Fields, Unit
from qflow.compile.values import WORD, twice, unknown, wrong_kind
from qflow.diagnostics import Diagnostic, Label, Span
from qflow.lang import syntax
from qflow.plan.plan import Decided

_DEFAULTS = {
    "act.scheme": Decided("per_tensor", why="default"),
    "weight.scheme": Decided("per_channel", why="default"),
}


def resolve(unit: Unit) -> Unit:
    """Sets `qconfigs`; one with a problem is left out, so that its users are not judged by it."""
    blocks = {b.name: b for b in reversed(unit.program.qconfigs)}
    found: list[Diagnostic] = []
    done: dict[str, Fields | None] = {}
    for name in builtin.names():
        # an imported file that has no qconfig of this name means the built-in one by it
        shared = _built_in(name)
        names = (name, *(f"{scope}.{name}" for scope in unit.program.scopes))
        done |= {n: shared for n in names if n not in blocks}
    for name in blocks:
        _resolve(name, blocks, done, found, ())
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
    chain: tuple[str, ...],
) -> Fields | None:
    """The fields of a qconfig; None when something in its chain is wrong, which is in `found`."""
    if name in done:
        return done[name]
    block = blocks[name]
    done[name] = None
    layers = _layers(block)
    bases = [f for layer in layers for f in layer if f.name == "base"]
    fields: Fields | None = _DEFAULTS
    if bases:
        fields = _base(block, bases[-1], blocks, done, found, (*chain, name))
    wrong: list[Diagnostic] = []
    spans: dict[str, Span] = {}
    for layer in layers:
        own = [f for f in layer if f.name != "base"]
        values, mistakes = written(own)
        wrong += mistakes + _twice(layer)
        by = {f.name: f.span for f in own}
        changes = {n: Decided(v, by=by[n], why=f"qconfig {name}") for n, v in values.items()}
        fields = None if fields is None else overlay(fields, changes)
        spans |= {f.name: f.value.span for f in own}
    if fields is None:
        found += wrong
        return None
    # what is missing, or belongs to nothing, may be what a misspelt name was to set
    strange = any(d.code == "QF112" for d in wrong)
    wrong += [
        p.at(spans.get(p.field, block.name_span))
        for p in problems({k: v.value for k, v in fields.items()})
        if not (strange and p.code in ("QF112", "QF115"))
    ]
    found += wrong
    done[name] = None if wrong else fields
    return done[name]


def _layers(block: syntax.Block) -> list[tuple[syntax.Field, ...]]:
    """Its fields; below them those of the imported block it refines."""
    return [*(_layers(block.refines) if block.refines else ()), block.fields]


def _twice(layer: tuple[syntax.Field, ...]) -> list[Diagnostic]:
    bases = [f for f in layer if f.name == "base"]
    return [twice("`base`", f.name_span, bases[0].name_span) for f in bases[1:]]


def _base(
    block: syntax.Block,
    field: syntax.Field,
    blocks: Mapping[str, syntax.Block],
    done: dict[str, Fields | None],
    found: list[Diagnostic],
    chain: tuple[str, ...],
) -> Fields | None:
    base = WORD.of(field.value)
    if base is None:
        found.append(wrong_kind("base", WORD, field.value))
        return None
    last = base.rpartition(".")[2]
    if base == block.name and last in builtin.names():
        # a block that shadows a built-in qconfig may still build on it
        return _built_in(last)
    if base in chain:
        found.append(_cycle(base, block, blocks, chain, field))
        return None
    if base in blocks or base in done:
        return _resolve(base, blocks, done, found, chain)
    found.append(unknown("qconfig", base, (*blocks, *builtin.names()), field.value.span))
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
