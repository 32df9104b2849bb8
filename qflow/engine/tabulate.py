"""tabulate: what `qflow sensitivity` does: measure one table of a file, or take over another's."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from qflow import compile as compiler
from qflow import lang
from qflow.compile.tables import path_of
from qflow.compile.unit import SensitivitySpec
from qflow.compile.values import unknown
from qflow.diagnostics import Diagnostic, QflowError, fail, has_errors
from qflow.engine import files
from qflow.engine.console import Console
from qflow.lang.program import Program
from qflow.plan import lock as locks
from qflow.plan.sensitivity import Origin, Row, Table, ranked, render
from qflow.plan.sensitivity_text import render as as_text


@dataclass(frozen=True)
class Tabulated:
    """A table that lies beside its file now."""

    spec: SensitivitySpec
    table: Table
    path: Path

    def text(self) -> str:
        """For people: a part per output."""
        return "\n".join(
            (f"output {output}\n" if output else "") + as_text(rows, self.spec.metric)
            for output, rows in _by_output(self.table)
        )


def measure(
    path: Path, name: str | None, settings: Mapping[str, str], console: Console
) -> Tabulated:
    """Measure the table of one `sensitivity` block, whether or not there is one already.

    Raises QflowError with what is wrong in the file, QF110 for a block there is not, QF301 for a
    lock that does not fit, and what preparing and running the model raise.
    """
    program = lang.load(path)
    outline = compiler.outline(program, settings)
    if outline.model is None or has_errors(outline.diagnostics):
        raise QflowError(outline.diagnostics)
    spec = _block(outline.sensitivities, name, program)
    # torch is imported from here on
    from qflow.engine import sensitivity
    from qflow.engine.model import load

    model = load(outline.model, outline.graph, path.parent)
    subject = sensitivity.Subject(path, program, settings, model, console)
    if locks.lock_path(path).exists():
        sensitivity.refuse_stale(subject, locks.read(locks.lock_path(path)))
    return Tabulated(spec, sensitivity.measure(subject, spec), path_of(program.path, spec))


def convert(path: Path, name: str | None, settings: Mapping[str, str], source: Path) -> Tabulated:
    """Write the rows of another table, `.pt` or JSON lines, where the block expects its own.

    Nothing is known of what it was measured from, so nothing will say when it no longer fits.
    Raises QflowError QF302 or QF282 for a source that cannot be read.
    """
    from qflow.quantization import sensitivity_table

    program = lang.load(path)
    outline = compiler.outline(program, settings)
    if has_errors(outline.diagnostics):
        raise QflowError(outline.diagnostics)
    spec = _block(outline.sensitivities, name, program)
    rows = ranked(_named(sensitivity_table.load(source), spec, outline))
    table = Table(rows, Origin(metric=spec.metric, candidate=spec.candidate))
    place = path_of(program.path, spec)
    files.write(place, render(table))
    return Tabulated(spec, table, place)


def save_pt(found: Tabulated, folder: Path) -> tuple[Path, ...]:
    """The table in the field's form, `.pt` and text per output. Raises QflowError QF316."""
    from qflow.analysis import SensitivityTable

    rows = {(output, found.spec.metric): part for output, part in _by_output(found.table)}
    try:
        return SensitivityTable(rows, 0, 0, 0).save_pt(folder)
    except OSError as error:
        raise files.unwritable(folder, error) from error


def _named(
    rows: tuple[Row, ...], spec: SensitivitySpec, outline: compiler.Outline
) -> tuple[Row, ...]:
    """Rows that name no output are about the block's, or about the only one there is."""
    outputs = [p.name for p in outline.model.outputs] if outline.model else []
    only = spec.output or (outputs[0] if len(outputs) == 1 else "")
    return tuple(replace(r, output=r.output or only) for r in rows)


def _by_output(table: Table) -> list[tuple[str, tuple[Row, ...]]]:
    outputs = dict.fromkeys(r.output for r in table.rows)
    return [(o, tuple(r for r in table.rows if r.output == o)) for o in sorted(outputs)]


def _block(
    specs: tuple[SensitivitySpec, ...], name: str | None, program: Program
) -> SensitivitySpec:
    names = [s.name for s in specs]
    if name is not None and name not in names:
        found = unknown("sensitivity block", name, names, program.span)
        raise fail(replace(found, at=None))
    if name is None and len(specs) != 1:
        listed = ", ".join(f"`{n}`" for n in names)
        raise fail(
            Diagnostic(
                "QF115",
                f"`{program.path}` has {len(specs) or 'no'} `sensitivity` blocks",
                help=f"name one of {listed}"
                if specs
                else "write `sensitivity sens { data = calib; metric = cosine; candidate = w8a8;"
                ' table = "sens.json" }`',
            )
        )
    return next(s for s in specs if name in (None, s.name))
