"""Channels that are arranged are the same layer, and no two neighbours add up to too much."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qflow.emulation.carriers import pairs

QUICK = settings(max_examples=60, deadline=None, derandomize=True)


def weights(kind: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    if kind == "extreme":
        return random.choice(np.array([-128, -127, -1, 0, 1, 127], np.int8), shape)
    if kind == "any":
        return random.integers(-128, 128, shape).astype(np.int8)
    real = random.normal(size=shape)
    largest = np.abs(real).max(axis=(1, 2, 3), keepdims=True)
    return np.rint(real / largest * 127).astype(np.int8)


@QUICK
@given(
    kind=st.sampled_from(["extreme", "any", "normal"]),
    channels=st.integers(1, 40),
    out=st.integers(1, 30),
    sides=st.sampled_from([(1, 1), (3, 1), (2, 2)]),
    most=st.sampled_from([127, 133, 200, 255]),
    seed=st.integers(0, 1 << 20),
)
def test_the_same_layer_whose_neighbours_fit(
    kind: str, channels: int, out: int, sides: tuple[int, int], most: int, seed: int
) -> None:
    weight = weights(kind, (out, channels, *sides), seed)
    found = pairs.arranged(weight, most)
    assert found is not None
    assert found.weight.shape == (out, len(found.order), *sides)
    # what the fed channels of an operand channel add up to
    total = np.zeros(weight.shape, np.int64)
    np.add.at(total, (slice(None), found.order), found.weight.astype(np.int64))
    assert np.array_equal(total, weight)
    assert pairs.fit(found.weight, most)
    # every two neighbours, whatever the operand is
    wide = np.pad(
        found.weight.astype(np.int64), [(0, 0), (0, len(found.order) % 2), (0, 0), (0, 0)]
    )
    for ends in (np.maximum(wide, 0) * most, np.minimum(wide, 0) * most):
        both = ends[:, 0::2] + ends[:, 1::2]
        assert both.min() >= -(1 << 15)
        assert both.max() < 1 << 15


@pytest.mark.parametrize(("channels", "most_fed"), [(64, 1.7), (768, 1.05)])
def test_fewer_than_twice_as_many(channels: int, most_fed: float) -> None:
    """Of weights like those of networks half of the channels need a copy at worst, of many none."""
    weight = weights("normal", (64, channels, 1, 1), 0)
    found = pairs.arranged(weight, 255)
    assert found is not None
    assert len(found.order) <= most_fed * channels


def test_neighbours_that_fit_as_they_are() -> None:
    weight = np.array([[64, 64, 127, -128]], np.int8).reshape(1, 4, 1, 1)
    assert pairs.fit(weight, 255)
    assert not pairs.fit(weight[:, [0, 2, 1, 3]], 255)


def test_a_layer_too_large_to_look_at() -> None:
    assert pairs.arranged(np.ones((1024, 1024, 1, 1), np.int8), 255) is None
