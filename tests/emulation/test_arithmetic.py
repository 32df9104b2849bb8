"""Sums, products and quotients: signs, numbers, ends of the grids, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor

import numpy as np
import pytest

from qflow.diagnostics import QflowError
from qflow.emulation.fixed import fixed_point
from qflow.emulation.lowering import lower
from qflow.emulation.op import Example
from qflow.emulation.runtimes import numpy as oracle
from qflow.quantization.prepared import PreparedGraph
from tests.emulation.build import march, one_op

BYTES = np.arange(-128, 128)


def run(graph: PreparedGraph, *operands: np.ndarray) -> np.ndarray:
    """Integers of the node `op`, of operands that are float32."""
    inputs = {f"x{i}": x.astype(np.float32) for i, x in enumerate(operands)}
    return oracle.run(lower(graph, march(), "tosa.single").graph, inputs, ["op"])["op"]


@pytest.mark.parametrize("value", [1.0, 0.3, 2.0**-40, 1e9, 1 - 2.0**-33, 7e-12])
def test_a_factor_in_fixed_point(value: float) -> None:
    multiplier, shift = fixed_point(value, -15, 46)
    assert 0 <= multiplier < 1 << 31
    assert -15 <= shift <= 46
    error = abs(Fraction(multiplier) / Fraction(2) ** shift - Fraction(value))
    assert error <= max(Fraction(value) / 2**31, Fraction(1, 2**47))


def test_a_factor_beyond_every_shift() -> None:
    assert fixed_point(2.0**60, -15, 46) == ((1 << 31) - 1, -15)
    assert fixed_point(2.0**-60, -15, 46) == (0, 46)
    assert fixed_point((1 - 2.0**-40) * 2.0**46, -15, 46) == ((1 << 31) - 1, -15)


def test_a_quotient_is_rounded_half_away() -> None:
    """Every pair of bytes, against exact fractions."""
    a, b = np.meshgrid(BYTES, BYTES)
    found = run(one_op("div", Example((a.shape, b.shape)), [1.0, 0.5], 1.0), a, b * 0.5)
    for left, right, got in zip(a.ravel(), b.ravel(), found.ravel(), strict=True):
        if right == 0:
            assert got == (0 if left == 0 else 127 if left > 0 else -128)
            continue
        exact = Fraction(2 * int(left), int(right))
        away = floor(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)
        assert got == min(max(away, -128), 127)


@pytest.mark.parametrize(
    ("name", "attributes", "wanted"),
    [
        ("neg", {}, -BYTES),
        ("abs", {}, np.abs(BYTES)),
        ("add", {"scalar": 3}, BYTES + 3),
        ("add", {"scalar": -3}, BYTES - 3),
        ("add", {"scalar": 0}, BYTES),
        ("add", {"scalar": True}, BYTES + 1),
        ("sub", {"scalar": 3}, BYTES - 3),
        ("sub", {"scalar": 3, "reflected": True}, 3 - BYTES),
        ("sub", {"scalar": 3, "alpha": -2}, BYTES + 6),
        ("sub", {"scalar": 3, "reflected": True, "alpha": -2}, 3 + 2 * BYTES),
        ("mul", {"scalar": -2}, -2 * BYTES),
        ("mul", {"scalar": 0}, 0 * BYTES),
        ("div", {"scalar": -0.25}, -4 * BYTES),
        ("leaky_relu", {"negative_slope": 2.0}, np.where(BYTES > 0, BYTES, 2 * BYTES)),
        ("leaky_relu", {"negative_slope": -1.0}, np.abs(BYTES)),
        ("leaky_relu", {"negative_slope": 0.0}, np.maximum(BYTES, 0)),
    ],
)
def test_numbers_and_the_ends_of_the_grid(name: str, attributes: dict, wanted: np.ndarray) -> None:
    example = Example(((1, 256),), attributes)
    found = run(one_op(name, example, [1.0], 1.0), BYTES[None])
    assert np.array_equal(found[0], np.clip(wanted, -128, 127))


@pytest.mark.parametrize(
    ("name", "attributes", "wanted"),
    [
        ("add", {"alpha": -1}, 4),
        ("sub", {"alpha": -1}, 10),
        ("sub", {"reflected": True}, -4),
        ("sub", {"reflected": True, "alpha": -2}, 17),
        ("sub", {"alpha": 2}, 1),
        ("div", {"reflected": True}, 0),
    ],
)
def test_two_tensors_in_any_order(name: str, attributes: dict, wanted: int) -> None:
    example = Example(((1, 1), (1, 1)), attributes)
    found = run(one_op(name, example, [1.0, 1.0], 1.0), np.array([[7]]), np.array([[3]]))
    assert found.item() == wanted


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("add", Example(((1, 2), (1, 2)), {"alpha": 0})),
        ("add", Example(((1, 2), (1, 3)))),
        ("add", Example(((1, 2),), {"scalar": float("inf")})),
        ("mul", Example(((1, 2),), {"scalar": float("nan")})),
        ("mul", Example(((1, 2),), {"scalar": 1e300})),
        ("div", Example(((1, 2),), {"scalar": 0})),
        ("div", Example(((1, 2),), {"scalar": 1e-310})),
        ("pow", Example(((1, 2), (1, 2)))),
        ("mean", Example(((1, 2),), {"dims": (0,), "keepdim": True})),
        ("sum", Example(((1, 2),), {"dims": (0, 1), "keepdim": False})),
    ],
)
def test_what_has_no_integers(name: str, example: Example) -> None:
    with pytest.raises(QflowError) as failed:
        lower(one_op(name, example, [1.0] * len(example.shapes), 1.0), march(), "mul15")
    assert [d.code for d in failed.value.diagnostics] == ["QF502"]


@pytest.mark.parametrize("profile", ["mul15", "tosa.double", "onnxruntime"])
def test_a_sum_that_leaves_int32_saturates(profile: str) -> None:
    example = Example(((1, 70000),), {"dims": (1,), "keepdim": True})
    made = lower(one_op("sum", example, [1.0], 65536.0, dtype="int16"), march(), profile)
    assert [d.code for d in made.diagnostics] == ["QF507"]
    lowest = np.full((1, 70000), -32768, np.float32)
    assert oracle.run(made.graph, {"x0": lowest}, ["op"])["op"].item() == -32768


def test_slopes_of_another_number_than_channels() -> None:
    graph = one_op("prelu", Example(((1, 3, 2, 2),)), [1.0], 1.0)
    nodes = [replace(n, weight=np.ones(2, np.float32)) if n.id == "op" else n for n in graph.nodes]
    with pytest.raises(QflowError, match="one per channel"):
        lower(replace(graph, nodes=tuple(nodes)), march(), "mul15")
