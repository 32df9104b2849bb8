"""sensitivities: the `sensitivity` blocks: what is measured, on which data, into which file."""

from collections.abc import Iterator
from dataclasses import replace

from qflow.compile import facts
from qflow.compile.unit import SensitivitySpec, Unit
from qflow.compile.values import INTEGER, STRING, WORD, Reader, unknown
from qflow.diagnostics import Diagnostic
from qflow.lang import syntax

METRICS = "analysis.similarity"


def read(unit: Unit) -> Unit:
    """Sets `sensitivities`, without the blocks in which something is missing or unknown."""
    specs: list[SensitivitySpec] = []
    found: list[Diagnostic] = []
    for block in unit.program.sensitivities:
        fields = Reader(f"sensitivity `{block.name}`", block.name_span, block.fields)
        spec = _spec(block, fields, unit)
        findings = fields.findings()
        found += findings
        if spec is not None and not findings:
            specs.append(spec)
    return replace(unit, sensitivities=tuple(specs)).having(found)


def _spec(block: syntax.Block, fields: Reader, unit: Unit) -> SensitivitySpec | None:
    data = fields.required("data", WORD, "calib")
    metric = fields.required("metric", WORD, "cosine")
    candidate = fields.required("candidate", WORD, "w8a8")
    table = fields.required("table", STRING, f'"{block.name}.sens.json"')
    output = fields.optional("output", WORD)
    samples = fields.at_least("samples", INTEGER, 1)
    for problem in _unknown(unit, fields, data, metric, candidate, output):
        fields.add(problem)
    if data is None or metric is None or candidate is None or table is None:
        return None
    return SensitivitySpec(
        block.name, data, metric, candidate, table, output, samples, block.name_span, fields.spans()
    )


def _unknown(
    unit: Unit,
    fields: Reader,
    data: str | None,
    metric: str | None,
    candidate: str | None,
    output: str | None,
) -> Iterator[Diagnostic]:
    blocks = [d.name for d in unit.program.data]
    if data is not None and data not in blocks:
        yield unknown("data block", data, blocks, fields.span("data"))
    metrics = facts.known(METRICS)
    if metric is not None and metric not in metrics:
        yield unknown("metric", metric, metrics, fields.span("metric"))
    # one that is there and wrong was reported where it stands
    written = {q.name for q in unit.program.qconfigs}
    if candidate is not None and candidate not in unit.qconfigs and candidate not in written:
        known = (*unit.qconfigs, *written)
        yield unknown("qconfig", candidate, known, fields.span("candidate"))
    outputs = [o.name for o in unit.model.outputs] if unit.model else []
    if output is not None and outputs and output not in outputs:
        yield unknown("output", output, outputs, fields.span("output"))
