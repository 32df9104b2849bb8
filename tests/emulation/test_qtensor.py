"""QTensor: integers and their grid, there and back, in NumPy and torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qflow import QTensor
from qflow.diagnostics import QflowError
from qflow.dtype import DTYPES

X = np.random.default_rng(0).normal(size=(4, 3, 5)).astype(np.float32)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32"])
@pytest.mark.parametrize("rounding", ["half_even", "half_up", "half_away"])
@pytest.mark.parametrize("axis", [None, 1])
def test_numpy_and_torch_agree_and_lie_within_half_a_step(
    dtype: str, rounding: str, axis: int | None
) -> None:
    reach = 2.0 / DTYPES[dtype].qmax
    scale = np.array([1.0, 1.5, 2.0], np.float32) * reach if axis else reach
    zero = 100 if dtype == "uint8" else 0
    grid = {"scale": scale, "zero_point": zero, "dtype": dtype, "axis": axis}
    ours = QTensor.quantize(X, rounding=rounding, **grid)
    theirs = QTensor.quantize(torch.from_numpy(X), rounding=rounding, **grid)
    assert ours.dtype == theirs.dtype == dtype
    assert np.array_equal(ours.data, theirs.data.numpy())
    assert ours.dequantize().tobytes() == theirs.dequantize().numpy().tobytes()
    step = np.broadcast_to(np.reshape(ours.scale, (-1, 1)), (3, 5))
    low, high = ((b - zero) * step for b in (DTYPES[dtype].qmin, DTYPES[dtype].qmax))
    error = np.abs(ours.dequantize() - np.clip(X, low, high))
    assert np.all(error <= step * 0.501 + np.abs(X) * 2.0**-22)


def test_ties_follow_the_rounding() -> None:
    ties = np.array([-1.5, -0.5, 0.5, 1.5], np.float32)
    found = {
        r: QTensor.quantize(ties, scale=1.0, rounding=r).data.tolist()
        for r in ("half_even", "half_up", "half_away")
    }
    assert found == {
        "half_even": [-2, 0, 0, 2],
        "half_up": [-1, 0, 1, 2],
        "half_away": [-2, -1, 1, 2],
    }


def test_like_takes_the_whole_grid() -> None:
    one = QTensor(np.zeros((2, 3), np.int16), np.array([0.1, 0.2, 0.3]), 0, 1)
    other = QTensor.quantize(X[:, :, 0], like=one)
    assert (other.dtype, other.axis, other.zero_point) == ("int16", 1, 0)
    assert np.array_equal(other.scale, one.scale)
    assert other.scale.dtype == np.float32
    assert "int16 [4, 3]" in repr(other)


def test_an_accumulator_is_dequantized_from_all_its_bits() -> None:
    data = np.array([[(1 << 31) - 1, -(1 << 31)]], np.int32)
    made = QTensor(data, np.array([0.5, 2.0]), axis=1)
    assert made.dequantize().tolist() == [[2.0**30, -(2.0**32)]]
    # the difference is made before it becomes a float
    shifted = QTensor(np.array([(1 << 24) + 1], np.int32), 1.0, 1)
    assert shifted.dequantize().tolist() == [float(1 << 24)]
    wide = QTensor(torch.from_numpy(shifted.data), 1.0, 1)
    assert wide.dequantize().tolist() == [float(1 << 24)]


@pytest.mark.parametrize(
    ("data", "scale", "zero", "axis", "says"),
    [
        (np.zeros(3, np.float32), 1.0, 0, None, "float32"),
        (torch.zeros(3, dtype=torch.int64), 1.0, 0, None, "int64"),
        (np.zeros(3, np.int8), 0.0, 0, None, "above 0"),
        (np.zeros(3, np.int8), np.nan, 0, None, "above 0"),
        (np.zeros(3, np.int8), 1e300, 0, None, "above 0"),
        (np.zeros(3, np.int8), 1.0, 128, None, "zero point 128"),
        (np.zeros((2, 3), np.int8), [1.0, 2.0], 0, None, "need an axis"),
        (np.zeros((2, 3), np.int8), [1.0, 2.0], 0, 1, "2 scales for 3 channels"),
        (np.zeros((2, 3), np.int8), [1.0, 2.0], 0, 2, "no axis 2"),
    ],
)
def test_parts_that_do_not_fit(data, scale, zero: int, axis: int | None, says: str) -> None:
    with pytest.raises(QflowError, match=says) as caught:
        QTensor(data, scale, zero, axis)
    assert caught.value.diagnostics[0].code == "QF313"


@pytest.mark.parametrize(
    "grid", [{}, {"scale": 1.0, "dtype": "int64"}, {"scale": 1.0, "rounding": "up"}]
)
def test_no_grid(grid: dict) -> None:
    with pytest.raises(QflowError, match="QF313"):
        QTensor.quantize(X, **grid)


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
def test_nan_has_no_place(kind) -> None:
    with pytest.raises(QflowError, match="QF403"):
        QTensor.quantize(kind([1.0, float("nan")]), scale=1.0)
    infinite = QTensor.quantize(kind([float("inf"), -float("inf")]), scale=1.0)
    assert infinite.data.tolist() == [127, -128]
