"""Cases for TOSA: what its operators can take of the shared ones, and reductions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from qflow.emulation.op import op as operator
from tests.conformance import shared_cases as given
from tests.conformance.both_sides import no_model
from tests.conformance.litert_case import Case, graph_of

ENTRIES = 513
BYTES = (
    *("acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "elu", "erf", "exp"),
    *("gelu", "hard_sigmoid", "hard_swish", "log", "mish", "pow", "reciprocal", "rsqrt", "selu"),
    *("sigmoid", "silu", "sin", "sinh", "softplus", "sqrt", "tan", "tanh"),
)
"""Functions that are read from a table."""
WORDS: Mapping[str, tuple[float, ...]] = {
    "asinh": (1.1e-4, 1.6e-4),
    "atan": (6.3e-5, 9.3e-5),
    "cos": (5.3e-5, 6.1e-5),
    "cosh": (5.3e-5, 7.0e-5),
    "elu": (9.3e-5, 1.9e-4),
    "erf": (4.7e-5, 6.1e-5),
    "exp": (5.3e-5, 7.0e-5),
    "gelu": (8e-5, 1.3e-4),
    "mish": (1.2e-4, 1.7e-4),
    "selu": (4.7e-5, 1.0e-4),
    "sigmoid": (1.6e-4, 2.2e-4),
    "silu": (1.6e-4, 4.3e-4),
    "sin": (5.3e-5, 6.1e-5),
    "sinh": (5.3e-5, 7.0e-5),
    "softplus": (2.8e-4, 4e-4),
    "tan": (2.6e-5, 3.0e-5),
    "tanh": (5.3e-5, 7.0e-5),
}
"""Scales from which the function of int16 has a table of that size."""


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


def added(op: str, dtype: str) -> Iterator[Case]:
    """Of int16 also grids on which a term of its own is a tie."""
    yield from given.pairs(op, dtype)
    if dtype == "int16":
        yield from given.differences(op, dtype)


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


def tables(name: str, dtype: str) -> Iterator[Case]:
    """Every value; of int16 those grids whose table has the 513 entries of TOSA."""
    settings = operator(name).examples[0].attributes
    if dtype == "int8":
        yield from given.singles(name, dtype, 400, **settings)
        return
    for scale in WORDS[name]:
        values = np.arange(-(1 << 15), 1 << 15).reshape(-1, 256).astype(np.int16)
        source = replace(given.on(1.0, 0, dtype), scale=scale)
        top = np.abs(operator(name).real(settings, values.astype(np.float64) * scale)).max()
        target = replace(source, scale=float(top) / 32000)
        case = Case(name, (values,), (source,), target, no_model, settings)
        found = graph_of(case, "tosa.single").constants["op.table"].size
        assert found == ENTRIES, "scales are chosen so that a table of this size is made"
        yield case
