"""tpu_mlir: a calibration table of TPU-MLIR: `name threshold min max` per line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qflow.tables.entry import MOST_ENTRIES, Entry, Malformed, Table, positive

_ROW = re.compile(r"(\S+)\s+([-0-9.e]+)\s+([-0-9.e]+)\s+([-0-9.e]+)")
"""What the compiler's reader takes; it passes over any other line in silence, and we do not."""
_SECTIONS = ("#weight_scale", "#int4_th", "#tpu-mlir-fp8", "#mqbench-fp8", "asym_op", "int4_op")
"""A comment that holds one of these ends the rows of int8."""
_WEIGHTS = "#weight_scale"


class TpuMlir:
    """The threshold of a row is used; its minimum says whether the tensor is signed.

    Rows of int8 count, and those of other sections do not. Weight scales are listed and not used.
    """

    def knows(self, text: str) -> bool:
        """Whether the first line that is no comment is a row."""
        rows = (line for line in text.split("\n") if line.strip() and not line.startswith("#"))
        return _ROW.fullmatch(next(rows, "")) is not None

    def read(self, text: str, shown: str) -> Table:
        """Raises Malformed for a line that the compiler would pass over, or misread."""
        weights: list[str] = []
        entries = tuple(_entries(text.split("\n"), weights))
        return Table(shown, "tpu_mlir", entries, tuple(weights))


def _entries(lines: list[str], weights: list[str]) -> Iterator[Entry]:
    section = ""
    for number, line in enumerate(lines, 1):
        if number > MOST_ENTRIES:
            raise Malformed(f"it has more than {MOST_ENTRIES:,} lines")
        if line.startswith("#"):
            section = next((s for s in _SECTIONS if s in line), section)
        elif section:
            if section == _WEIGHTS and line.strip():
                weights.append(line.split()[0])
        elif line.strip():
            yield _entry(line, number)


def _entry(line: str, number: int) -> Entry:
    found = _ROW.fullmatch(line)
    if found is None:
        why = f"line {number} is not `name threshold min max`"
        raise Malformed(why, number)
    name, *words = found.groups()
    try:
        threshold, low, _ = map(float, words)
    except ValueError as error:
        raise Malformed(f"line {number} has no three numbers", number) from error
    return Entry(name, number, threshold=threshold, signed=low < 0, unusable=positive(threshold))
