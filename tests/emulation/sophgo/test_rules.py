"""Roundings, multiplier searches and propagated ranges, each against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from qflow.emulation.sophgo.propagation import RangeNode, propagate_ranges, scale_of, span_of_row
from qflow.emulation.sophgo.rounding import half_up, round_away, shift_right
from qflow.emulation.sophgo.search import (
    doubling_shift,
    floor_log_shift,
    q31,
    search8,
    search32,
    trunc8,
)
from qflow.emulation.sophgo.weights import constant_factor, constant_operand, per_channel


def test_float_roundings_on_halves() -> None:
    values = np.array([-2.5, -1.5, -0.5, 0.49999999999999994, 0.5, 1.5, 2.5])
    assert round_away(values).tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert half_up(values).tolist() == [-2, -1, 0, 0, 1, 2, 3]


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        ("half_up", [-1, -1, 0, 1, 1, 2]),
        ("half_away", [-2, -1, -1, 1, 1, 2]),
        ("floor", [-2, -1, -1, 0, 1, 1]),
    ],
)
def test_shift_right_on_halves(rounding: str, expected: list[int]) -> None:
    values = np.array([-3, -2, -1, 1, 2, 3])
    assert shift_right(values, 1, rounding).tolist() == expected  # type: ignore[arg-type]


def test_a_shift_below_zero_goes_left() -> None:
    assert shift_right(np.array([3, -3]), np.array([-2, -1])).tolist() == [12, -6]


def test_search_takes_the_first_of_equals() -> None:
    assert [int(v) for v in search8(0.5)] == [1, 1]
    assert [int(v) for v in search8(4.0)] == [1, -2]
    assert [int(v) for v in search8(4.0, positive=True)] == [4, 0]
    assert [int(v) for v in search8(-0.75)] == [-3, 2]
    assert [int(v) for v in search32(0.0)] == [0, -32]


@pytest.mark.parametrize("limit", [127, (1 << 31) - 1])
def test_search_stays_below_its_limit(limit: int) -> None:
    scales = np.exp2(np.random.default_rng(0).uniform(-8, 6, 500))
    multiplier, shift = (search8 if limit == 127 else search32)(scales)
    assert np.abs(multiplier).max() < limit
    near = np.ldexp(multiplier.astype(np.float64), -shift)
    # 8 bits leave half a step of a multiplier of at least 63
    assert (np.abs(near / scales - 1) < (0.5 / 63 if limit == 127 else 1e-6)).all()


def test_other_multipliers() -> None:
    assert [int(v) for v in trunc8(1.0)] == [64, 6]
    assert [int(v) for v in trunc8(0.27)] == [69, 8]
    assert int(floor_log_shift(1.0)) == 6
    assert doubling_shift(1.0) == 6
    assert doubling_shift(200.0) == -1
    assert [int(v) for v in q31(0.75)] == [3 << 29, 0]
    assert [int(v) for v in q31(1 - 2**-40)] == [1 << 30, -1]


def test_weights_keep_what_is_exact() -> None:
    halves = np.array([[0.5, -1.5], [2.0, 0.0]], np.float32)
    found = per_channel(halves, has_bias=True)
    assert found.integers.tolist() == [[1, -3], [4, 0]]
    assert found.scale.tolist() == [0.5, 0.5]


def test_weights_without_a_sign() -> None:
    weight = np.array([[0.1, 0.3], [0.2, 0.7]], np.float32)
    assert per_channel(weight, has_bias=False).integers.dtype == np.uint8
    assert per_channel(weight, has_bias=True).integers.dtype == np.int8
    assert constant_operand(weight)[0].max() == 255
    assert constant_factor(-weight)[0].min() == -127


def node(name: str, kind: str, *inputs: str, th: float = 1.0, least: float = -1.0) -> RangeNode:
    return RangeNode(name, kind, inputs, span_of_row(th, least))  # type: ignore[arg-type]


def test_a_relu_reaches_back_to_what_only_it_reads() -> None:
    nodes = [node("x", "other", th=3.0), node("y", "relu", "x", th=2.0, least=0.0)]
    assert propagate_ranges(nodes, ["y"], "mul32")["x"] == (0.0, 2.0)
    assert propagate_ranges(nodes, ["x", "y"], "mul32")["y"] == (-3.0, 3.0)


def test_a_pool_follows_the_sign_of_its_operand() -> None:
    nodes = [node("x", "other", th=3.0), node("y", "avg_pool", "x", th=2.0, least=0.0)]
    span = propagate_ranges(nodes, ["y"], "mul32")["y"]
    assert span == (-0.2, 2.0)
    assert scale_of(span, "mul32") == (2.0 / 127, True)
    assert propagate_ranges(nodes, ["y"], "shift8")["y"] == (-3.0, 3.0)


def test_a_concatenation_gives_its_range_to_what_only_it_reads() -> None:
    nodes = [node("x", "other", th=3.0), node("y", "other", th=2.0), node("z", "concat", "x", "y")]
    assert propagate_ranges(nodes, ["z"], "mul32")["x"] == (-1.0, 1.0)
    assert propagate_ranges(nodes, ["x", "z"], "mul32")["y"] == (-2.0, 2.0)


def test_products_take_the_range_of_their_sum_on_mul32_only() -> None:
    nodes = [node("x", "other"), node("a", "mul", "x", "x", th=4.0), node("b", "add", "a", th=9.0)]
    assert propagate_ranges(nodes, ["b"], "mul32")["a"] == (-9.0, 9.0)
    assert propagate_ranges(nodes, ["b"], "shift8")["a"] == (-0.4, 4.0)


def test_a_product_with_a_number_is_scaled_by_it() -> None:
    nodes = [
        node("x", "other", th=2.0, least=0.0),
        RangeNode("y", "mul_const", ("x",), (-1.0, 1.0), constants=(-0.5,)),
    ]
    span = propagate_ranges(nodes, ["y"], "mul32")["y"]
    assert span == (-1.0, 0.0)
    assert scale_of(span, "mul32") == (1.0 / 127, True)


def test_a_tensor_without_a_row_has_no_range() -> None:
    nodes = [RangeNode("x", "other", (), None), node("y", "relu", "x")]
    assert propagate_ranges(nodes, ["y"], "mul32") == {"y": (-1.0, 1.0)}
