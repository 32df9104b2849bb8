"""softmax in integers: against exact arithmetic, and where rows are odd."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qflow.diagnostics import QflowError
from qflow.dtype import DTYPES
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.op import Example
from tests.emulation.alone import both
from tests.emulation.build import lowered, one_op

pytestmark = pytest.mark.usefixtures("both_paths")

GRIDS = {"int8": (0.08, 1 / 127), "int16": (0.0004, 1 / 32767)}


def graph(dtype: str, width: int, scale: float = 0.0, out_scale: float = 0.0) -> IntegerGraph:
    usual = GRIDS[dtype]
    example = Example(((1, width),), {"dim": -1})
    made = one_op("softmax", example, (scale or usual[0],), out_scale or usual[1], dtype=dtype)
    return lowered(made)


def rule(row: list[int], dtype: str, scale: float, out_scale: float) -> list[int]:
    """The rule once more, in decimals and fractions: tables in Q0.28, one division, half up."""

    def table(distance: int, bits: int) -> int:
        with localcontext() as context:
            context.prec = 60
            exact = (-Decimal(scale) * distance).exp() * (1 << bits)
            return int(exact.to_integral_value(rounding="ROUND_HALF_EVEN"))

    def exponent(distance: int) -> int:
        if dtype == "int8":
            return table(distance, 28)
        coarse, fine = table(distance // 256 * 256, 28), table(distance % 256, 24)
        return floor(Fraction(coarse * fine, 1 << 24) + Fraction(1, 2))

    shares = [exponent(max(row) - x) for x in row]
    # the largest power of two that leaves 20 bits to 1
    shift = next(s for s in range(16, 0, -1) if Fraction(1 << s) / Fraction(out_scale) < 1 << 20)
    unit = round(Fraction(1 << shift) / Fraction(out_scale))
    top = DTYPES[dtype].qmax
    exact = [Fraction(e * unit, sum(shares) << shift) for e in shares]
    return [min(floor(y + Fraction(1, 2)), top) for y in exact]


@pytest.mark.parametrize("dtype", GRIDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_it_is_the_rule_in_exact_arithmetic(dtype: str, data: st.DataObject) -> None:
    kind = DTYPES[dtype]
    numbers = st.integers(kind.qmin, kind.qmax) | st.sampled_from([kind.qmin, kind.qmax, 0])
    row = data.draw(st.lists(numbers, min_size=1, max_size=12))
    scale, out_scale = (float(np.float32(s)) for s in GRIDS[dtype])
    found = both(graph(dtype, len(row)), "softmax", np.array([row]))
    assert found[0].tolist() == rule(row, dtype, scale, out_scale)


@pytest.mark.parametrize("dtype", GRIDS)
@pytest.mark.parametrize("value", ["qmin", "qmax"])
def test_rows_of_one_value_share_evenly(dtype: str, value: str) -> None:
    row = np.full((3, 10), getattr(DTYPES[dtype], value))
    found = both(graph(dtype, 10), "softmax", row)
    assert set(found.ravel()) == {floor(0.1 / GRIDS[dtype][1] + 0.5)}


@pytest.mark.parametrize("dtype", GRIDS)
def test_a_row_of_one_is_all_of_it(dtype: str) -> None:
    found = both(graph(dtype, 1), "softmax", np.array([[DTYPES[dtype].qmin], [5]]))
    assert found.ravel().tolist() == [DTYPES[dtype].qmax] * 2


@pytest.mark.parametrize("dtype", GRIDS)
def test_what_a_mask_hides_gets_nothing(dtype: str) -> None:
    """A score of -100 on a grid that reaches there, as tracing writes masks."""
    kind = DTYPES[dtype]
    row = np.array([[3, kind.qmin, 3, kind.qmin]])
    found = both(graph(dtype, 4, scale=100 / kind.qmax), "softmax", row)
    half = floor(0.5 / GRIDS[dtype][1] + 0.5)
    assert found.tolist() == [[half, 0, half, 0]]


def test_every_distance_of_int16_is_near_the_float_meaning() -> None:
    """Rows of two, so that no sum hides an error: the sigmoid of the distance."""
    low = np.arange(-32768, 32768)
    rows = np.stack([np.full_like(low, 32767), low], axis=1)
    found = both(graph("int16", 2), "softmax", rows)
    step = float(np.float32(GRIDS["int16"][0]))
    exact = 1 / (1 + np.exp((32767 - low) * step)) * 32767
    assert np.abs(found[:, 1] - exact).max() < 0.55


@pytest.mark.parametrize("width", [1000, 5000])
def test_long_rows(width: int) -> None:
    random = np.random.default_rng(0)
    rows = np.clip(np.rint(random.normal(0, 8000, (2, width))), -32768, 32767).astype(int)
    real = np.exp((rows - rows.max(1, keepdims=True)) * float(np.float32(0.0004)))
    exact = real / real.sum(1, keepdims=True)
    # shares are small: the grid is, too
    out_scale = float(np.float32(exact.max() / 32767))
    found = both(graph("int16", width, out_scale=out_scale), "softmax", rows)
    assert np.abs(found - np.minimum(exact / out_scale, 32767)).max() < 0.55


def test_a_row_as_long_as_the_batch_is_refused() -> None:
    example = Example(((4, 3),), {"dim": 0})
    with pytest.raises(QflowError, match="QF502"):
        lowered(one_op("softmax", example, (0.1,), 0.01))


@pytest.mark.parametrize("scale", [2.0**-8, 0.0331, 0.5, 3.0])
@pytest.mark.parametrize("out_scale", [1 / 127, 2.0**-9, 0.0016])
def test_every_row_of_two(scale: float, out_scale: float) -> None:
    """Estimates settle none of 65,536 rows wrongly; nor longer ones, where more lie near a step."""
    every = np.arange(-128, 128)
    rows = np.stack(np.meshgrid(every, every), axis=-1).reshape(-1, 2)
    both(graph("int8", 2, scale, out_scale), "softmax", rows)
    random = np.random.default_rng(0)
    both(graph("int8", 31, scale, out_scale), "softmax", random.integers(-128, 128, (2000, 31)))
    narrow = random.integers(-3, 4, (2000, 130))
    both(graph("int8", 130, scale, out_scale), "softmax", narrow)
