"""Normalizations in integers: against exact arithmetic, and where groups are odd."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qflow.dtype import DTYPES
from qflow.emulation.graph import IntegerGraph
from qflow.emulation.op import Example
from qflow.emulation.ops._roots import fast_reciprocal_root, reciprocal_root
from tests.emulation.alone import both, call_of
from tests.emulation.build import lowered, one_op

pytestmark = pytest.mark.usefixtures("both_paths")

SCALES = {"int8": (0.03, 0.03), "int16": (0.0001, 0.0001)}
PRECISION = 200
"""Bits behind the point of the roots in the exact meaning."""


def graph(dtype: str, width: int, eps: float = 1e-5, **more: np.ndarray) -> IntegerGraph:
    source, target = SCALES[dtype]
    example = Example(((2, width),), {"shape": (width,), "eps": eps})
    return lowered(one_op("layer_norm", example, (source,), target, dtype=dtype, **more))


def exact(row: list[int], dtype: str, eps: float) -> list[Fraction]:
    """(x - mean) / sqrt(variance + eps) in output steps, with a root of 200 bits."""
    source, target = (Fraction(float(np.float32(s))) for s in SCALES[dtype])
    count = len(row)
    mean = Fraction(sum(row), count)
    variance = sum((x - mean) ** 2 for x in row) / count * source**2 + Fraction(eps)
    if variance == 0:
        return [Fraction(0)] * count
    scaled = variance * 4**PRECISION
    root = Fraction(isqrt(scaled.numerator // scaled.denominator), 2**PRECISION)
    return [(x - mean) * source / root / target for x in row]


@pytest.mark.parametrize("dtype", SCALES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_it_is_near_the_exact_meaning(dtype: str, data: st.DataObject) -> None:
    kind = DTYPES[dtype]
    near = data.draw(st.integers(kind.qmin, kind.qmax))
    numbers = (
        st.integers(kind.qmin, kind.qmax)
        | st.sampled_from([kind.qmin, kind.qmax])
        | st.integers(max(near - 1, kind.qmin), min(near + 1, kind.qmax))
    )
    row = data.draw(st.lists(numbers, min_size=1, max_size=20))
    eps = data.draw(st.sampled_from([0.0, 1e-12, 1e-5, 1e-3, 10.0]))
    found = both(graph(dtype, len(row), eps), "layer_norm", np.array([row, row[::-1]]))
    for y, wanted in zip(found[0].tolist(), exact(row, dtype, eps), strict=True):
        held = min(max(wanted, kind.qmin), kind.qmax)
        assert abs(y - held) < 0.55


@pytest.mark.parametrize("dtype", SCALES)
@pytest.mark.parametrize("eps", [0.0, 1e-5])
def test_groups_without_variance_are_the_bias(dtype: str, eps: float) -> None:
    bias = np.array([0.5, -0.25, 0.0, 1.0], np.float32)
    made = graph(dtype, 4, eps, weight=np.ones(4, np.float32), bias=bias)
    rows = np.array([[DTYPES[dtype].qmin] * 4, [7] * 4])
    wanted = np.rint(bias / SCALES[dtype][1])
    assert np.abs(both(made, "layer_norm", rows) - wanted).max() <= 1


def test_one_value_far_from_the_others() -> None:
    row = np.full(1000, -1)
    row[3] = 32767
    found = both(graph("int16", 1000), "layer_norm", np.stack([row, -row]))
    wanted = [float(y) for y in exact(row.tolist(), "int16", 1e-5)]
    assert np.abs(found[0] - np.clip(wanted, -32768, 32767)).max() < 0.55


@pytest.mark.parametrize("width", [30_000, 300_000])
def test_groups_so_large_that_sums_are_shifted(width: int) -> None:
    random = np.random.default_rng(0)
    wide = random.integers(-32768, 32768, width)
    narrow = random.integers(5, 7, width)
    made = graph("int16", width)
    assert (int(made.constants["op.spread_shift"][0]) > 0) == (width > 40_000)
    found = both(made, "layer_norm", np.stack([wide, narrow]))
    for row, y in zip((wide, narrow), found, strict=True):
        real = row * float(np.float32(0.0001))
        wanted = (real - real.mean()) / np.sqrt(real.var() + 1e-5) / float(np.float32(0.0001))
        assert np.abs(y - np.clip(wanted, -32768, 32767)).max() < 0.55


def test_eps_far_above_any_variance() -> None:
    found = both(graph("int8", 4, 1e6), "layer_norm", np.array([[-128, 127, 0, 1]] * 2))
    assert found.tolist() == [[0, 0, 0, 0]] * 2


def test_weights_of_any_size_keep_their_share() -> None:
    weight = np.array([1e-6, 1.0, -3.0, 0.0], np.float32)
    bias = np.array([0.3, 0.0, 0.1, -0.2], np.float32)
    made = graph("int16", 4, weight=weight, bias=bias)
    row = [-200, 300, 50, 900]
    found = both(made, "layer_norm", np.array([row, row]))
    step = SCALES["int16"][1]
    normal = np.array([float(y) for y in exact(row, "int16", 1e-5)])
    wanted = np.clip(normal * weight + bias / np.float32(step), -32768, 32767)
    assert np.abs(found[0] - wanted).max() < 0.55


@pytest.mark.parametrize("op", ["group_norm", "instance_norm"])
def test_groups_of_channels_are_rows_of_a_layer_norm(op: str) -> None:
    random = np.random.default_rng(1)
    attributes = {"eps": 1e-5} | ({"groups": 3} if op == "group_norm" else {})
    example = Example(((2, 6, 3, 5),), attributes)
    made = lowered(one_op(op, example, (0.03,), 0.03))
    x = random.integers(-128, 128, (4, 6, 3, 5))
    groups = 3 if op == "group_norm" else 6
    rows = both(graph("int8", 90 // groups), "layer_norm", x.reshape(4 * groups, -1))
    assert np.array_equal(both(made, op, x), rows.reshape(x.shape))


POWERS = st.integers(1, 60).flatmap(lambda n: st.sampled_from([(1 << n) - 1, 1 << n]))
ROOTS = st.integers(1, (1 << 61) - 1) | POWERS
SQUARES = st.integers(2, 1 << 30).flatmap(lambda n: st.sampled_from([n * n - 1, n * n, n * n + 1]))


@settings(max_examples=60, deadline=None)
@given(st.lists(ROOTS | SQUARES, min_size=1, max_size=20))
def test_reciprocal_roots_are_whole_number_arithmetic(numbers: list[int]) -> None:
    factors, exponents = reciprocal_root(np.array(numbers))
    quick = fast_reciprocal_root(torch.tensor(numbers))
    assert [t.tolist() for t in quick] == [factors.tolist(), exponents.tolist()]
    for number, factor, exponent in zip(numbers, factors.tolist(), exponents.tolist(), strict=True):
        half_shift = 0
        while number << 2 * half_shift < 1 << 60:
            half_shift += 1
        assert factor == (1 << 54) // isqrt(number << 2 * half_shift)
        assert exponent == 54 - half_shift


def test_a_group_that_leaves_the_accumulator_is_refused() -> None:
    from qflow.diagnostics import QflowError

    with pytest.raises(QflowError, match="QF502"):
        graph("int16", 1 << 22)


def test_constants_are_what_the_rule_says() -> None:
    call = call_of(graph("int8", 16), "layer_norm")
    shift = int(call.constants["shift"][0])
    assert 2**23 <= int(call.constants["gain"][0]) < 2**24
    assert int(call.constants["gain"][0]) == round(2.0 ** (shift - 20) / float(np.float32(0.03)))
    assert int(call.constants["offset"][0]) == 1 << (shift - 1)


@pytest.mark.parametrize("out_scale", [0.02, 2.0**-6, 2.0**-10])
@pytest.mark.parametrize("width", [2, 24, 193])
def test_many_rows_of_bytes(width: int, out_scale: float) -> None:
    """Estimates settle none wrongly: every row of two, rows of one value but for one, any rows."""
    random = np.random.default_rng(width)
    weight, bias = random.normal(size=(2, width)).astype(np.float32)
    example = Example(((1, width),), {"shape": (width,), "eps": 1e-5}, (width,), bias=(width,))
    made = one_op("layer_norm", example, (0.05,), out_scale, weight=weight, bias=bias)
    every = np.arange(-128, 128)
    rows = random.integers(-128, 128, (4000, width))
    if width == 2:
        rows = np.stack(np.meshgrid(every, every), axis=-1).reshape(-1, 2)
    flat = np.repeat(every[:, None], width, axis=1)
    flat[:, 0] = np.clip(flat[:, 0] + 1, -128, 127)
    both(lowered(made), "layer_norm", np.concatenate([rows, flat, rows[:, ::-1] // 16]))
