"""Files from outside: 1,000 mutations of every format are a table or a finding, nothing else."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from qflow.diagnostics import QflowError
from qflow.tables import name_map, reading
from qflow.tables.entry import LARGEST, SMALLEST
from qflow.tables.pairing import Wanted, pair
from tests.tables import texts
from tests.tables.mutations import mutate

COUNT = 1000
WANTED = [Wanted("stem.conv", ("stem.relu",)), Wanted("head")]


class Files:
    """A file that is not on disk."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def read(self, path: Path) -> bytes:
        return self.raw

    def size(self, path: Path) -> int:
        return len(self.raw)


@pytest.mark.parametrize("kind", texts.TABLES)
def test_a_mutated_table_is_read_or_refused(kind: str) -> None:
    codes: list[str] = []
    for seed in range(COUNT):
        files = Files(mutate(texts.TABLES[kind], seed))
        try:
            # some with the format said, where nothing is seen from the text
            format_ = kind.split()[0] if seed % 2 else ""
            table = reading.read(Path("t"), "t", files, format_)
        except QflowError as error:
            codes += [d.code for d in error.diagnostics]
            continue
        for entry in table.entries:
            number = entry.scale if entry.scale is not None else entry.threshold
            if not entry.unusable:
                assert number is not None
                assert math.isfinite(number)
                assert SMALLEST <= number <= LARGEST
        assert len(pair(WANTED, table)) == len(WANTED)
    assert set(codes) == {"QF330"}
    assert 50 < len(codes) < COUNT


@pytest.mark.parametrize("kind", texts.MAPS)
def test_a_mutated_map_is_read_or_refused(kind: str) -> None:
    codes: list[str] = []
    for seed in range(COUNT):
        try:
            text = reading.text_of(Path("m"), "m", Files(mutate(texts.MAPS[kind], seed)))
            names = name_map.parse(text, "m").names_of("block.1.conv")
        except QflowError as error:
            codes += [d.code for d in error.diagnostics]
            continue
        assert all(isinstance(n, str) for n in names)
    assert set(codes) <= {"QF330", "QF333"}
    assert 50 < len(codes) < COUNT
