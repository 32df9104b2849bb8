"""Every loop against a few lines of NumPy: ties, extremes, odd shapes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qflow.loops import counts as counting
from qflow.loops import extremes, feed, finish, table

QUICK = settings(max_examples=40, deadline=None, derandomize=True, database=None)
DTYPES = st.sampled_from([torch.int8, torch.uint8])
SHAPES = st.tuples(
    st.integers(1, 3), st.sampled_from([1, 2, 7, 64]), st.integers(1, 6), st.integers(1, 5)
)
NONE = np.zeros(0)


def half_up(values: np.ndarray, factor: np.ndarray, second: np.ndarray) -> np.ndarray:
    product = values * factor
    return np.floor(product + np.where(product >= 0, second, -second) + 0.5)


def ties(random: np.random.Generator, shape: tuple[int, ...], factor: np.ndarray) -> np.ndarray:
    """Accumulators beside the steps of the outputs, and far beyond them."""
    near = np.round((random.integers(-140, 140, shape) + 0.5) / factor)
    far = random.integers(-(1 << 24), 1 << 24, shape)
    return np.where(random.random(shape) < 0.8, near, far).clip(-(1 << 24), 1 << 24)


def grid(dtype: torch.dtype, zero: int) -> finish.Grid:
    limits = torch.iinfo(dtype)
    return finish.Grid(limits.min - zero, limits.max - zero, zero, dtype)


@QUICK
@given(SHAPES, DTYPES, st.integers(0, 1 << 20), st.booleans(), st.booleans(), st.booleans())
def test_finish(
    shape: tuple[int, ...],
    dtype: torch.dtype,
    seed: int,
    per_channel: bool,
    twice: bool,
    last: bool,
) -> None:
    random = np.random.default_rng(seed)
    channels = shape[1] if per_channel else 1
    factor = 2.0 ** -random.integers(1, 17, channels) * random.integers(1, 4, channels)
    second = random.random(channels) * 0.25 if twice else NONE
    acc = ties(random, shape, factor.reshape(-1, 1, 1))
    given = torch.from_numpy(acc.astype(np.float32))
    if last or per_channel:
        given = given.contiguous(memory_format=torch.channels_last)
    to = grid(dtype, int(random.integers(-20, 20)))
    found = finish.finish(given, (factor, second), to)
    added = second.reshape(-1, 1, 1) if twice else np.zeros(1)
    exact = half_up(acc, factor.reshape(-1, 1, 1), added).clip(to.low, to.high) + to.zero
    assert found.dtype == dtype
    assert np.array_equal(found.numpy().astype(np.int64), exact)


@QUICK
@given(SHAPES, DTYPES, DTYPES, st.integers(0, 1 << 20), st.booleans(), st.booleans())
def test_join(
    shape: tuple[int, ...],
    dtype: torch.dtype,
    added: torch.dtype,
    seed: int,
    twice: bool,
    saturates: bool,
) -> None:
    random = np.random.default_rng(seed)
    channels = shape[1]
    factor, bring = (2.0 ** -random.integers(1, 12, channels) for _ in range(2))
    bring = bring * (1 << 18)
    second, also = (random.random(channels) * 0.25 if twice else NONE for _ in range(2))
    acc = ties(random, shape, factor.reshape(-1, 1, 1))
    limits = torch.iinfo(added)
    residual = random.integers(limits.min, limits.max + 1, shape)
    top = (1 << 15) - 1 if saturates else (1 << 31) - 1
    laid_out = (
        torch.from_numpy(a).to(t).contiguous(memory_format=torch.channels_last)
        for a, t in ((acc, torch.float32), (residual, added))
    )
    to = grid(dtype, 3)
    found = finish.join(*laid_out, (bring, also), top, (factor, second), to)
    view = (-1, 1, 1)
    one, other = (a.reshape(view) if twice else np.zeros(1) for a in (also, second))
    total = (acc + half_up(residual, bring.reshape(view), one)).clip(-top - 1, top)
    exact = half_up(total, factor.reshape(view), other).clip(to.low, to.high) + to.zero
    assert np.array_equal(found.numpy().astype(np.int64), exact)


@pytest.mark.parametrize("size", [0, 1, 255, 40_001])
@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8])
def test_tables(size: int, dtype: torch.dtype) -> None:
    random = np.random.default_rng(size)
    entries = random.integers(-128, 128, 1 << 16).astype(np.int8)
    x, y = (random.integers(0, 256, size).astype(np.uint8) for _ in range(2))
    of_x, of_y = (torch.from_numpy(a).view(dtype) for a in (x, y))
    one = table.look_up(torch.from_numpy(entries[:256]), of_x)
    assert np.array_equal(one.numpy(), entries[x])
    two = table.look_up(torch.from_numpy(entries), of_x, of_y)
    assert np.array_equal(two.numpy(), entries[x.astype(int) * 256 + y])


@pytest.mark.parametrize("rows", [1, 3, 500])
@pytest.mark.parametrize("channels", [1, 5, 64])
def test_arranged_channels(rows: int, channels: int) -> None:
    random = np.random.default_rng(rows)
    x = random.integers(-128, 128, (1, rows, 1, channels)).astype(np.int8)
    order = random.integers(0, channels, channels + 3)
    found = feed.arrange(torch.from_numpy(x), 128, order)
    assert np.array_equal(found.numpy(), (x.astype(int) + 128)[..., order].astype(np.uint8))


@QUICK
@given(st.integers(1, 70_000), st.sampled_from([2, 16, 2048]), st.integers(0, 1 << 20))
def test_counts(size: int, bins: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    x = random.standard_normal(size).astype(np.float32).clip(-1.99, 1.99)
    x[random.random(size) < 0.3] = random.choice([0.0, -0.0, 2.0**-11, -(2.0**-11), 1.5])
    before = random.integers(0, 5, (1, 2 * bins))
    found = counting.counts(torch.from_numpy(x)[None], 2.0, torch.from_numpy(before))
    assert found is not None
    place = np.trunc(x.astype(np.float64) * bins / 2).astype(int) - (x < 0) + bins
    exact = np.bincount(place[x != 0], minlength=2 * bins)
    assert found.zeros == (x == 0).sum()
    assert found.largest == np.abs(x).max()
    assert np.array_equal(found.counts[0].numpy(), before[0] + exact)


@pytest.mark.parametrize("exponent", [-100, -30, 127, 128])
def test_tops_at_the_ends_of_floats(exponent: int) -> None:
    largest = np.float32(np.ldexp(1 - 2.0**-24, exponent))
    x = torch.tensor([[float(largest), -float(largest), 0.0]])
    found = counting.counts(x, 2.0**exponent, torch.zeros(1, 32, dtype=torch.int64))
    assert found is not None
    assert (found.largest, found.zeros) == (largest, 1)
    assert (found.counts[0, 0], found.counts[0, 31]) == (1, 1)
    x[0, 0] = torch.inf
    assert counting.counts(x, 2.0**exponent, found.counts) is None


@pytest.mark.parametrize("beyond", [2.0, -2.0, 1e30, np.nan, -np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("size", [1, 40_000])
def test_nothing_is_counted_where_a_value_lies_beyond_the_top(beyond: float, size: int) -> None:
    x, before = torch.full((1, size), 0.5), torch.zeros(1, 32, dtype=torch.int64)
    x[0, size // 2] = beyond
    assert counting.counts(x, 2.0, before) is None
    x[0, size // 2] = -1.99
    found = counting.counts(x, 2.0, before)
    assert found is not None
    assert found.counts.sum() == size
    assert (found.zeros, found.largest) == (0, np.float32(1.99))


@QUICK
@given(st.integers(1, 9), st.integers(1, 300), st.integers(0, 1 << 20))
def test_extremes(rows: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    x = (
        random.standard_normal((rows, width)) * 10.0 ** random.integers(-30, 30, (rows, 1))
    ).astype(np.float32)
    x[random.random(x.shape) < 0.2] = random.choice([0.0, -0.0, 1e-45, 3.4e38, -3.4e38])
    low, high = found(x)
    assert np.array_equal(low, x.min(1))
    assert np.array_equal(high, x.max(1))
    place = random.integers(0, x.size)
    for odd in (np.nan, -np.nan, np.inf, -np.inf):
        x.flat[place] = odd
        assert extremes.extremes(torch.from_numpy(x)) is None


def found(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    both = extremes.extremes(torch.from_numpy(x))
    assert both is not None
    return both[0].numpy(), both[1].numpy()
