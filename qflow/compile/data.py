"""data: the `data` blocks: which loader, how many samples, in which batches."""

from dataclasses import replace

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
    loader = fields.required("loader", STRING, '"package.module:function"')
    if loader is not None and not is_entry(loader):
        fields.add(bad_entry("loader", loader, fields))
    samples = fields.at_least("samples", INTEGER, 1)
    batch = fields.at_least("batch", INTEGER, 1)
    seed = fields.at_least("seed", INTEGER, 0)
    metric = named(fields, "metric", "analysis.metrics")
    args = fields.pairs("args")
    if (source := fields.optional("source", STRING)) is not None:
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
        at=block.name_span,
        fields=fields.spans(),
    )
