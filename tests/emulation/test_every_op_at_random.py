"""Every operator that is registered, bit for bit, over sizes, strides, grids, ties and extremes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from qflow.diagnostics import QflowError
from qflow.dtype import DTYPES
from qflow.emulation.lowering import lower
from qflow.emulation.op import NARROW, Example, op
from qflow.quantization.prepared import Grid
from tests.emulation.build import PROFILES, march
from tests.emulation.case import WHOLE, Case, keeps_grid, kinds_of, parameters, values_of
from tests.emulation.test_every_op import INTEGER, agree

pytestmark = pytest.mark.usefixtures("both_paths")

QUICK = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
SCALES = st.sampled_from([2.0**-9, 2.0**-6, 2.0**-12, 0.01, 0.0371, 0.7])
"""Powers of two, between which half of all rescaled values are ties, and what lies near them."""
SIZES = st.sampled_from([1, 2, 3, 5, 7])
STEPS = ("stride", "dilation")
FILLED = st.sampled_from(["all", "ends", "low", "high"])


@pytest.mark.parametrize("name", INTEGER)
@QUICK
@given(data=st.data(), seed=st.integers(0, 1 << 30))
def test_oracle_and_fast_path_agree(name: str, data: st.DataObject, seed: int) -> None:
    made = drawn(name, data.draw, np.random.default_rng(seed))
    try:
        graph = lower(made.graph, march(), data.draw(st.sampled_from(PROFILES))).graph
    except QflowError:  # a bias that does not fit its grid, a form without integers
        assume(False)
    agree(graph, made.inputs)


def drawn(name: str, draw: Any, random: np.random.Generator) -> Case:
    operator = op(name)
    written = draw(st.sampled_from(operator.examples))
    dtype = draw(st.sampled_from(narrow(operator.reads) or narrow(operator.writes)))
    made = filled(name, changed(written, draw), dtype, draw, random)
    try:
        assert all(m.size for m in made.meanings)
    except (RuntimeError, ValueError, IndexError, AssertionError):  # no such form of the operator
        made = filled(name, written, dtype, draw, random)
    first = next((g for g in made.grids if g is not None), None)
    fixed = first if keeps_grid(operator) else None
    target = draw(st.sampled_from(narrow(operator.writes) or [dtype]))
    return replace(made, output_grid=fixed or grid(target, draw))


def narrow(dtypes: tuple[str, ...]) -> list[str]:
    return [d for d in NARROW if d in dtypes]


def changed(example: Example, draw: Any) -> Example:
    """The example with other sizes, the same where they were the same, and other steps."""
    if example.residual:
        return example
    kept = set(example.weight or ())
    sizes = {s for shape in example.shapes for s in shape} - kept
    new = {s: draw(SIZES) if draw(st.booleans()) else s for s in sorted(sizes)}
    shapes = tuple(tuple(new.get(s, s) for s in shape) for shape in example.shapes)
    attributes = {
        k: tuple(draw(st.integers(1, 3)) for _ in v) if k in STEPS else v
        for k, v in example.attributes.items()
    }
    return replace(example, shapes=shapes, attributes=attributes)


def filled(name: str, example: Example, dtype: str, draw: Any, random: np.random.Generator) -> Case:
    operator, kinds = op(name), kinds_of(example)
    shared = grid(dtype, draw)
    pairs = list(zip(kinds, example.shapes, strict=True))
    grids = tuple(
        None if k in WHOLE else shared if keeps_grid(operator) else grid(dtype, draw)
        for k, _ in pairs
    )
    operands = tuple(
        values_of(k, shape, random) if g is None else codes(g, shape, draw(FILLED), random)
        for (k, shape), g in zip(pairs, grids, strict=True)
    )
    wide = "int16" if dtype == "int16" and draw(st.booleans()) else "int8"
    weight, bias, weight_grid = parameters(operator, example, wide, random)
    return Case(operator, example, operands, grids, weight, bias, weight_grid, dtype=dtype)


def grid(dtype: str, draw: Any) -> Grid:
    kind = DTYPES[dtype]
    zero = draw(st.sampled_from([0, 0, kind.qmin, kind.qmax, (kind.qmin + kind.qmax) // 2 + 3]))
    return Grid(kind, np.array([draw(SCALES)], np.float32), zero)


def codes(grid: Grid, shape: tuple[int, ...], how: str, random: np.random.Generator) -> np.ndarray:
    """float32 values of integers across the grid, its ends among them more often than by chance."""
    low, high = grid.dtype.qmin, grid.dtype.qmax
    ends = random.choice([low, high], shape)
    found = {
        "all": np.where(random.random(shape) < 0.3, ends, random.integers(low, high + 1, shape)),
        "ends": ends,
        "low": np.full(shape, low),
        "high": np.full(shape, high),
    }[how]
    return ((found - grid.zero_point) * grid.scale.astype(np.float64)).astype(np.float32)
