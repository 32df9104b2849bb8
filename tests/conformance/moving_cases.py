"""Cases of operators that move or pick values and compute nothing: any integers will do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tests.conformance.both_sides import no_model
from tests.conformance.litert_case import INDEX, Case
from tests.conformance.shared_cases import integers, on

BATCH, IMAGE, ROWS = 20, (12, 24, 20), 80
"""Of images 115,200 values."""
MOVES: Mapping[str, Mapping[str, Any]] = {
    "reshape": {"shape": (48, 6, 20)},
    "flatten": {"start": 1, "end": -1},
    "permute": {"dims": (0, 2, 3, 1)},
    "slice": {
        "starts": (0, 1, 2, 0),
        "stops": (BATCH, 12, 24, 19),
        "steps": (1, 1, 1, 1),
        "shape": (BATCH, 11, 22, 19),
    },
    "split": {"dim": 1, "sizes": (2, 9, 1)},
    "chunk": {"dim": 2, "sizes": (3, 20, 1)},
    "unbind": {"dim": 1},
    "roll": {"shifts": (-7, 5), "dims": (2, 3)},
    "repeat": {"times": (1, 2, 1, 3)},
    "pixel_shuffle": {"factor": 2},
    "pixel_unshuffle": {"factor": 2},
    "channel_shuffle": {"groups": 3},
    "pad": {"sides": (2, 1, 0, 3), "mode": "constant", "value": 0.6},
    "unsqueeze": {"dim": 2},
    "amax": {"dims": (1,), "keepdim": True},
    "amin": {"dims": (3,), "keepdim": False},
    "max": {"dim": 2, "keepdim": False},
    "min": {"dim": 1, "keepdim": True},
}
"""Attributes, for an operand of `BATCH` images."""
PARTS = {"split": 1, "chunk": 1, "unbind": 7, "max": 0, "min": 0}
SMALLER = {"amax": 12, "amin": 20, "max": 24, "min": 12, "unbind": 12, "argmax": 12}
"""How many values make one."""


def moves(op: str, dtype: str) -> Iterator[Case]:
    """One tensor, as often as it takes to compare 100,000 integers."""
    for i in range(SMALLER.get(op, 1) * (1 + (op in ("split", "slice", "chunk")))):
        random = np.random.default_rng(i)
        grid = on(0.05, 0, dtype)
        operand = integers(random, grid.dtype, (BATCH, *IMAGE))
        yield Case(op, (operand,), (grid,), grid, no_model, MOVES[op], part=PARTS.get(op))


def places(dtype: str) -> Iterator[Case]:
    """Where the largest value is; of few different values there are many equal ones."""
    for i in range(SMALLER["argmax"]):
        random = np.random.default_rng(i)
        grid = on(0.05, 0, dtype)
        few = random.integers(-3, 4, (BATCH, *IMAGE)).astype(grid.dtype)
        operand = few if i % 2 else integers(random, grid.dtype, few.shape)
        settings = {"dim": 1, "keepdim": False}
        yield Case("argmax", (operand,), (grid,), grid, no_model, settings, places=True)


def removed(dtype: str) -> Iterator[Case]:
    """Axes of one value that go, and one that grows."""
    grid = on(0.05, 0, dtype)
    random = np.random.default_rng(3)
    operand = integers(random, grid.dtype, (400, 1, 300, 1))
    yield Case("squeeze", (operand,), (grid,), grid, no_model, {"dims": (1, 3)})


def expanded(dtype: str) -> Iterator[Case]:
    grid = on(0.05, 0, dtype)
    random = np.random.default_rng(4)
    operand = integers(random, grid.dtype, (400, 1, 50))
    yield Case("expand", (operand,), (grid,), grid, no_model, {"sizes": (-1, 6, -1)})


def stacked(dtype: str) -> Iterator[Case]:
    for case in moves("roll", dtype):
        other = case.operands[0][::-1].copy()
        sources = case.sources * 2
        operands = (case.operands[0], other)
        yield replace(case, op="stack", operands=operands, sources=sources, attributes={"dim": 1})


def picked_rows(dtype: str) -> Iterator[Case]:
    """Rows of a table whose floats lie next to ties of the grid it is put on, picked by number."""
    for i, step in enumerate((0.05, 2.0**-4)):
        random = np.random.default_rng(i)
        grid = on(step, 0, dtype)
        limits = np.iinfo(grid.dtype)
        whole = random.integers(limits.min - 3, limits.max + 3, (ROWS, 24)) - grid.zero_point
        table = ((whole + 0.5) * np.float32(grid.scale)).astype(np.float32)
        index = random.integers(0, ROWS, (60, 40)).astype(np.int32)
        yield Case("embedding", (index,), (INDEX,), grid, no_model, {}, table)
