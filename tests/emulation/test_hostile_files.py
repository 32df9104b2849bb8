"""Changed integer files of many kinds are refused in words, or run alike in both runtimes.

`python -m tests.emulation.fuzz` tries many more, in a process of its own.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.emulation.fuzz.corpus import as_bytes, makers
from tests.emulation.fuzz.mutations import mutate
from tests.emulation.fuzz.verdict import RAN, REFUSED, judge

KINDS = 120
"""Graphs that the changed files are made from."""
FILES = 400
LEAST = {REFUSED: FILES // 2, RAN: FILES // 10}
"""So many at least are refused, or change nothing that matters: the changes are not all alike."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("whole")
    made = Random(0).sample(makers(), KINDS)
    found = [data for _, make in made if (data := as_bytes(make, folder)) is not None]
    assert len(found) > KINDS // 2
    return found


def test_whole_files_run(corpus: list[bytes], tmp_path: Path) -> None:
    assert {judge(data, tmp_path / "x.qnn", seed) for seed, data in enumerate(corpus)} == {RAN}


def test_changed_files_are_refused_or_run_alike(corpus: list[bytes], tmp_path: Path) -> None:
    verdicts = []
    for seed in range(FILES):
        random = Random(seed)
        data = mutate(random.choice(corpus), random.choice(corpus), random)
        verdicts.append(judge(data, tmp_path / "x.qnn", seed))
    for verdict, least in LEAST.items():
        assert verdicts.count(verdict) >= least
