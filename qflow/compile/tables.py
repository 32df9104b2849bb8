"""tables: the sensitivity tables a file names, read where they exist, and whether they still fit.

The one pass that opens files: a table is an input of the plan, as the lock is.
"""

import json
from dataclasses import fields, replace
from hashlib import sha256
from pathlib import Path

from qflow.compile.hashes import plain
from qflow.compile.region import listed
from qflow.compile.unit import SensitivitySpec, Unit
from qflow.diagnostics import Diagnostic, QflowError
from qflow.lang.sources import Sources
from qflow.plan import sensitivity
from qflow.plan.lock import structure
from qflow.plan.lock_line import edge_line, module_line
from qflow.plan.sensitivity import CHECKED, Origin, Table

_WORDS = {
    "metric": "the metric",
    "qconfig": "the qconfig of the candidate",
    "march": "the march",
    "model": "the structure of the model",
    "data": "the data block",
    "samples": "the samples",
    "weights": "the weights",
}


def load(unit: Unit) -> Unit:
    """Sets `tables`: None for one that is not there. QF231 stale, QF282 no table."""
    if unit.inventory is None:
        return unit
    tables: dict[str, Table | None] = {}
    found: list[Diagnostic] = []
    for spec in unit.sensitivities:
        path = path_of(unit.program.path, spec)
        if not unit.sources.exists(path):
            tables[spec.name] = None
            continue
        try:
            tables[spec.name] = _read(path, spec.table, unit.sources)
        except QflowError as error:
            at = dict(spec.fields).get("table", spec.at)
            found += [replace(d, at=at) for d in error.diagnostics]
            continue
        found += stale(spec, tables[spec.name], origin(unit, spec), unit.program.path)
        found += _strangers(spec, tables[spec.name], unit)
    return replace(unit, tables=tables).having(found)


def _read(path: Path, shown: str, sources: Sources) -> Table:
    try:
        if sources.size(path) > sensitivity.LARGEST:
            raise sensitivity.too_large(shown)
        return sensitivity.decoded(sources.read(path), path.suffix, shown)
    except OSError as error:
        raise sensitivity.unreadable(shown, error) from error


def path_of(program: str, spec: SensitivitySpec) -> Path:
    """Where a table lies: its name is relative to the folder of the file."""
    return Path(program).parent / spec.table


def stale(
    spec: SensitivitySpec,
    table: Table | None,
    now: Origin,
    program: str,
    parts: tuple[str, ...] = CHECKED,
) -> list[Diagnostic]:
    """QF231 when the table was measured from something else."""
    others = table.differs(now, parts) if table is not None else ()
    if not others:
        return []
    return [
        Diagnostic(
            "QF231",
            f"the table `{spec.table}` was measured from something else",
            at=spec.at,
            notes=(f"since then changed {', '.join(_WORDS[p] for p in others)}",),
            help=f"measure it again with `qflow sensitivity {program} {spec.name}`",
            severity="warning",
        )
    ]


def _strangers(spec: SensitivitySpec, table: Table | None, unit: Unit) -> list[Diagnostic]:
    """QF231 for modules the model lacks, in a table that does not say what it was measured from."""
    assert unit.inventory is not None
    if table is None or table.origin.model:
        return []
    known = unit.inventory.by_address
    strange = sorted({r.op_name for r in table.rows} - known.keys())
    # without any the rule that reads it has nothing to match, which is an error of its own
    if not strange or len(strange) == len({r.op_name for r in table.rows}):
        return []
    return [
        Diagnostic(
            "QF231",
            f"the table `{spec.table}` has modules that the model has not",
            at=spec.at,
            notes=(f"nothing is called {listed(strange)}",),
            help=f"measure it again with `qflow sensitivity {unit.program.path} {spec.name}`",
            severity="warning",
        )
    ]


def origin(unit: Unit, spec: SensitivitySpec) -> Origin:
    """What a table of this block would be measured from now, as far as the file and lock tell."""
    assert unit.inventory is not None
    modules = [module_line(m) for m in unit.inventory.modules]
    model = structure([*modules, *(edge_line(e) for e in sorted(unit.inventory.edges))])
    data = next((d for d in unit.data if d.name == spec.data), None)
    read = (data.loader, data.args, data.samples, data.seed) if data else ()
    qconfig = {n: plain(d) for n, d in unit.qconfigs.get(spec.candidate, {}).items()}
    found = Origin(
        metric=spec.metric,
        candidate=spec.candidate,
        qconfig=_digest(qconfig) if qconfig else "",
        march=unit.target.march if unit.target else "",
        model=model,
        data=_digest([plain(read), spec.samples]) if data else "",
    )
    parts = {f.name: getattr(found, f.name) for f in fields(Origin)}
    return replace(found, plan=_digest(parts))


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return f"sha256:{sha256(text.encode()).hexdigest()}"
