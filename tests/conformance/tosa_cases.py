"""Cases for TOSA: what its operators can take of the shared ones, and reductions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tests.conformance import shared_cases as given
from tests.conformance.both_sides import no_model
from tests.conformance.litert_case import Case, graph_of

ENTRIES = 513


def convolutions(form: str) -> Iterator[Case]:
    """TOSA takes strides that meet the last pixel only."""
    return _reached(given.convolutions("int8", form))


def averages(dtype: str) -> Iterator[Case]:
    """On one grid; windows leave their padding out, as those of TOSA do."""
    return _reached(given.pools("avg_pool2d", dtype, own_grid=False, skips_padding=True))


def requantized_averages(dtype: str) -> Iterator[Case]:
    """On two grids; windows count their padding."""
    return _reached(given.pools("avg_pool2d", dtype))


def image_means(dtype: str) -> Iterator[Case]:
    """On one grid."""
    for case in given.image_means(dtype):
        yield replace(case, target=case.sources[0])


def maxima(dtype: str) -> Iterator[Case]:
    settings = {"dilation": (1, 1), "ceil": False}
    return _reached(given.pools("max_pool2d", dtype, own_grid=False, **settings))


def _reached(cases: Iterable[Case]) -> Iterator[Case]:
    for case in cases:
        yield replace(case, operands=(_cut(case.operands[0], case.attributes),))


def _cut(image: np.ndarray, a: Any) -> np.ndarray:
    """Without the rows and columns that no window reaches."""
    dilation = a.get("dilation", (1, 1))
    ends = []
    for axis in range(2):
        size, sides = image.shape[2 + axis], a["padding"][axis] + a["padding"][axis + 2]
        reach = dilation[axis] * (a["kernel"][axis] - 1) + 1
        ends.append(size - (size + sides - reach) % a["stride"][axis])
    return np.ascontiguousarray(image[:, :, : ends[0], : ends[1]])


def joined(dtype: str) -> Iterator[Case]:
    if dtype == "int8":
        yield from given.joined(dtype)
        return
    for case in given.singles("cat", dtype, 4):
        other = given.on(0.0413, 1, dtype)
        operands = (case.operands[0], case.operands[0][::-1].copy())
        sources = (case.sources[0], other)
        yield replace(case, operands=operands, sources=sources, attributes={"dim": 1})


def sums(op: str, dtype: str) -> Iterator[Case]:
    """Along one axis that stays; of powers of two many are ties."""
    for i, (length, first, second) in enumerate(
        ((16, 0.25, 0.125), (64, 0.25, 0.25), (35, 0.05, 0.031), (49, 0.017, 0.0071))
    ):
        source = given.on(first, 0, dtype)
        target = given.on(second * (length if op == "sum" else 1), 2, dtype)
        operand = given.images(source.dtype, (300, 100, length, 1), i)[..., 0]
        settings = {"dims": (2,), "keepdim": True}
        yield Case(op, (operand,), (source,), target, no_model, settings)


def tables(op: str, dtype: str) -> Iterator[Case]:
    """Every value; of int16 those grids whose table has the 513 entries of TOSA."""
    if dtype == "int8":
        yield from given.singles(op, dtype, 400)
        return
    for scale in (5e-5, 6e-5, 7e-5) if op == "tanh" else (1.6e-4, 1.9e-4, 2.2e-4):
        values = np.arange(-(1 << 15), 1 << 15).reshape(-1, 256).astype(np.int16)
        source = replace(given.on(1.0, 0, dtype), scale=scale)
        target = replace(source, scale=1 / 32000)
        case = Case(op, (values,), (source,), target, no_model)
        found = graph_of(case, "tosa.single").constants["op.table"].size
        assert found == ENTRIES, "scales are chosen so that a table of this size is made"
        yield case
