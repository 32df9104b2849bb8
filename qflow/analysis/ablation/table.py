"""table: what a measurement found: per output and metric, rows by falling sensitivity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from qflow.diagnostics import Diagnostic, fail
from qflow.plan import sensitivity as tables
from qflow.plan.sensitivity import Origin, Row, Table
from qflow.plan.sensitivity_text import render


@dataclass(frozen=True)
class SensitivityTable:
    """Rows for every pair of an output and a metric, and what it took to measure them."""

    rows: Mapping[tuple[str, str], tuple[Row, ...]]
    """(output, metric) to rows, most sensitive first."""
    evaluations: int
    """How many modules were evaluated, over all batches."""
    brute_force: int
    """How many running the whole model anew for every quantized tensor evaluates."""
    samples: int
    """Size of the first dimension of the first output, summed over the batches."""

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(output for output, _ in self.rows))

    @property
    def metrics(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(metric for _, metric in self.rows))

    def of(self, output: str | None = None, metric: str | None = None) -> tuple[Row, ...]:
        """Rows of one output (the first one) and metric (the first one), most sensitive first.

        Raises QflowError QF110 for one that was not measured.
        """
        key = (output or self.outputs[0], metric or self.metrics[0])
        if key not in self.rows:
            raise fail(
                Diagnostic(
                    "QF110",
                    f"output `{key[0]}` was not measured by `{key[1]}`",
                    notes=(
                        f"outputs: {', '.join(self.outputs)}; metrics: {', '.join(self.metrics)}",
                    ),
                )
            )
        return self.rows[key]

    def table(self, metric: str | None = None, origin: Origin | None = None) -> Table:
        """All outputs under one metric as a table for `.qf`."""
        chosen = metric or self.metrics[0]
        rows = [row for output in self.outputs for row in self.of(output, chosen)]
        found = origin or Origin(metric=chosen)
        return Table(tables.ranked(rows), found, self.evaluations, self.brute_force)

    def save(self, path: str | PathLike[str], metric: str | None = None) -> None:
        """Write JSON lines, as `match sensitive(...)` reads them. Raises OSError."""
        tables.save(self.table(metric), Path(path))

    def save_pt(self, folder: str | PathLike[str]) -> tuple[Path, ...]:
        """Write `output_<name>_<metric>_sensitive_ops.pt` and `.txt` per output and metric.

        The `.pt` is a list of rows of six columns, as the field's setters read it. Raises OSError.
        """
        from qflow.atomic import write
        from qflow.quantization.sensitivity_table import save

        written = []
        for (output, metric), rows in self.rows.items():
            base = Path(folder) / f"output_{_plain(output)}_{metric}_sensitive_ops"
            pt, txt = base.with_name(f"{base.name}.pt"), base.with_name(f"{base.name}.txt")
            save(rows, pt)
            write(txt, render(rows, metric))
            written += [pt, txt]
        return tuple(written)

    def text(self, output: str | None = None, metric: str | None = None) -> str:
        """The table of one output and metric for people."""
        return render(self.of(output, metric), metric or self.metrics[0])


def _plain(name: str) -> str:
    """A name that can be part of a file name."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
