"""data: the `data` blocks: which loader, how many samples, in which batches."""

from dataclasses import replace

from qflow.compile import preprocess
from qflow.compile.model import bad_entry, is_entry
from qflow.compile.options import named
from qflow.compile.unit import Unit
from qflow.compile.values import INTEGER, STRING, Reader, twice
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax
from qflow.plan.plan import DataSpec

BATCH = 32
"""Samples per batch where the block does not say."""


def read(unit: Unit) -> Unit:
    """Sets `data`, without the blocks that have no loader."""
    specs: list[DataSpec] = []
    found: list[Diagnostic] = []
    for block in unit.program.data:
        fields = Reader(f"data `{block.name}`", block.name_span, block.fields)
        spec = _spec(block, fields)
        found += fields.findings()
        if spec is not None:
            specs.append(spec)
    return replace(unit, data=tuple(specs)).having(found)


def _spec(block: syntax.Block, fields: Reader) -> DataSpec | None:
    source = fields.optional("source", STRING)
    loader = _loader(fields, source)
    if loader and not is_entry(loader):
        fields.add(bad_entry("loader", loader, fields))
    samples = fields.at_least("samples", INTEGER, 1)
    batch = fields.at_least("batch", INTEGER, 1)
    seed = fields.at_least("seed", INTEGER, 0)
    metric = named(fields, "metric", "analysis.metrics")
    args = fields.pairs("args")
    keys, prepared = _keys(fields), preprocess.read(fields)
    if loader and (keys or prepared is not None):
        name = "keys" if keys else "preprocess"
        fields.add(_not_of_a_loader(name, fields))
    if not loader and args:
        fields.add(_not_of_a_loader("args", fields))
    if loader and source is not None:
        if "source" in args:
            fields.add(twice("`source`", fields.span("args"), fields.span("source")))
        args["source"] = source
    if loader is None:
        return None
    return DataSpec(
        name=block.name,
        loader=loader,
        args=tuple(sorted(args.items())),
        samples=samples,
        batch=batch or BATCH,
        seed=seed or 0,
        metric=metric,
        source="" if loader or source is None else source,
        keys=keys,
        preprocess=prepared,
        at=block.name_span,
        fields=fields.spans(),
    )


def _loader(fields: Reader, source: str | None) -> str | None:
    """The entry point; empty where the source is read without one, None where there is neither."""
    loader = fields.optional("loader", STRING)
    if loader is not None or fields.misspells("loader"):
        return loader
    if source is None:
        return fields.required("loader", STRING, '"package.module:function"')
    return ""


def _keys(fields: Reader) -> tuple[tuple[str, str], ...]:
    """Names of arrays in the source, by input, sorted."""
    found: list[tuple[str, str]] = []
    for name, value in sorted(fields.pairs("keys").items()):
        if isinstance(value, str) and value:
            found.append((name, value))
        else:
            message = f"`keys` of `{name}` must be the name of an array in the source"
            help_ = f'write `{name}: "x"`'
            fields.add(Diagnostic("QF111", message, at=fields.span("keys"), help=help_))
    return tuple(found)


def _not_of_a_loader(name: str, fields: Reader) -> Diagnostic:
    """A field of the one kind of block in one of the other."""
    if name == "args":
        message, help_ = "`args` are arguments of a loader, and the block has none", "remove `args`"
    else:
        message = f"`{name}` is for a `source` that is read without a loader"
        help_ = f"remove `loader`, or do what `{name}` says in the loader"
    return Diagnostic("QF370", message, at=fields.span(name), help=help_)
