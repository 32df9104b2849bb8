"""Observers against slow float64 references, and what every observer must do."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from qflow import registry
from qflow.dtype import qint16
from qflow.quantization import FakeQuantize
from qflow.quantization.grid import observer_grid
from qflow.quantization.observer import Observer
from qflow.quantization.observers import _histogram
from qflow.quantization.observers.aciq_laplace import AciqLaplace
from qflow.quantization.observers.clip import Clip
from qflow.quantization.observers.clip_std import ClipStd
from qflow.quantization.observers.fixed import Fixed
from qflow.quantization.observers.kl import Kl
from qflow.quantization.observers.min_max import MinMax
from qflow.quantization.observers.mix import Mix
from qflow.quantization.observers.moving_average import MovingAverage
from qflow.quantization.observers.mse import Mse
from qflow.quantization.observers.octav import Octav
from qflow.quantization.observers.percentile import Percentile
from tests.quantization.reference import (
    DISTRIBUTIONS,
    INT8,
    batches,
    best_error,
    moving_average,
    squared_error,
    together,
)

KIND = "quantization.observers"
SETTINGS = {"fixed": {"scale": 0.5}, "clip": {"xmin": -3.4e38, "xmax": 3.4e38}}
EVERY = {n: registry.load(KIND, n)(**SETTINGS.get(n, {})) for n in registry.names(KIND)}
MEASURING = {n: o for n, o in EVERY.items() if n != "fixed"}
LEAST = {"sophgo": 1e-5}
"""Whose ranges have a least size, in the unit of the tensor, because another tool's have."""
ORDER_FREE = {n: o for n, o in MEASURING.items() if o.order_free}


def fed(observer: Observer, values: list[Tensor]):
    state = observer.start(values[0].shape[0])
    for x in values:
        state = observer.observe(state, x)
    return state


def range_of(observer: Observer, values: list[Tensor]) -> tuple[float, float]:
    low, high = observer.range(fed(observer, values), INT8)
    return float(low), float(high)


def same_state(a, b, rel: float = 0.0) -> bool:
    """Equal bit for bit; floats to within `rel` of the largest of their kind, where it is given."""
    return all(same_tensor(x, b.tensors()[n], rel) for n, x in a.tensors().items())


def same_tensor(x: Tensor, y: Tensor, rel: float) -> bool:
    if not rel or not x.is_floating_point():
        return torch.equal(x, y)
    return bool(((x - y).abs() <= rel * x.abs().max()).all() or torch.equal(x, y))


def test_the_observers_are_those_of_the_language() -> None:
    assert set(EVERY) >= {"fixed", "min_max", "moving_average", "mse", "percentile"}


# every observer, whatever it computes


@pytest.mark.parametrize("name", ORDER_FREE)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_two_halves_merged_are_the_whole_exactly(name: str, distribution: str) -> None:
    observer, values = EVERY[name], batches(distribution)
    whole = fed(observer, values)
    for cut in (1, 4, 7):
        merged = observer.merge(fed(observer, values[:cut]), fed(observer, values[cut:]))
        assert same_state(merged, whole, observer.rounding_error)
        backwards = observer.merge(fed(observer, values[cut:]), fed(observer, values[:cut]))
        assert same_state(backwards, whole, observer.rounding_error)
        for found in (merged, backwards):
            wanted = torch.stack(observer.range(whole, INT8))
            torch.testing.assert_close(
                torch.stack(observer.range(found, INT8)),
                wanted,
                rtol=observer.rounding_error,
                atol=0,
            )
    assert same_state(observer.merge(observer.start(1), whole), whole)
    assert same_state(observer.merge(whole, observer.start(1)), whole)


@pytest.mark.parametrize("name", ORDER_FREE)
def test_batches_may_be_cut_anywhere(name: str) -> None:
    observer, values = EVERY[name], batches("laplace", count=3, size=1000)
    joined = torch.cat(values, dim=1)
    cut = fed(observer, list(joined.split(77, dim=1)))
    assert same_state(fed(observer, values), cut, observer.rounding_error)


@pytest.mark.parametrize("name", MEASURING)
def test_a_state_survives_as_tensors(name: str) -> None:
    observer, values = EVERY[name], batches("normal", count=4, size=500)
    state = fed(observer, values[:2])
    assert all(isinstance(t, Tensor) for t in state.tensors().values())
    copies = {n: t.clone() for n, t in state.tensors().items()}
    again = replace(observer.start(1), **copies)
    for x in values[2:]:
        again = observer.observe(again, x)
    assert same_state(again, fed(observer, values))


@pytest.mark.parametrize("name", MEASURING)
def test_a_state_is_never_changed(name: str) -> None:
    observer, (first, second) = EVERY[name], batches("normal", count=2, size=500)
    state = fed(observer, [first])
    before = {n: t.clone() for n, t in state.tensors().items()}
    observer.observe(state, 100 * second)
    observer.merge(state, fed(observer, [1000 * second]))
    assert all(torch.equal(t, before[n]) for n, t in state.tensors().items())


@pytest.mark.parametrize("name", MEASURING)
def test_memory_does_not_grow_with_batches(name: str) -> None:
    observer = EVERY[name]

    def size(count: int) -> tuple[int, int]:
        """Bytes of the statistics, and of everything a fake-quantizer keeps, pickled."""
        made = FakeQuantize(observer)
        made.observing = True
        for x in batches("normal", count, 50):
            made(x)
        tensors = made.activation_post_process.state.tensors().values()
        return sum(t.untyped_storage().nbytes() for t in tensors), len(pickle.dumps(made))

    few, many = size(2), size(40)
    if name in LEAST:
        # by the range of the data, four times wider in the end
        assert many[0] < 5 * few[0]
        return
    assert few[0] == many[0]
    assert abs(few[1] - many[1]) < 64


@pytest.mark.parametrize("name", [n for n, o in MEASURING.items() if o.per_channel])
def test_channels_are_kept_apart(name: str) -> None:
    observer = EVERY[name]
    rows = [torch.cat(batches(d, count=1, size=3000)) for d in DISTRIBUTIONS]
    alone = [observer.range(fed(observer, [r]), INT8) for r in rows]
    low, high = observer.range(fed(observer, [torch.cat(rows)]), INT8)
    assert torch.equal(low, torch.cat([a for a, _ in alone]))
    assert torch.equal(high, torch.cat([b for _, b in alone]))


@pytest.mark.parametrize("name", MEASURING)
@pytest.mark.parametrize("value", [3.0, -0.7, 1e-30, 3e38, -3e38])
def test_a_constant(name: str, value: float) -> None:
    x = torch.full((1, 100), value)
    low, high = range_of(EVERY[name], [x, x])
    found, widest = max(-low, high), max(abs(float(x[0, 0])), LEAST.get(name, 0))
    if name in ("mse", "histogram"):
        # a little less than the constant may fit the grid better
        double = x.double().numpy()
        assert squared_error(double, found, INT8) <= squared_error(double, widest, INT8)
        assert found == pytest.approx(widest, rel=0.01)
        return
    # to within one of the 1024 or more bins below the largest magnitude
    assert found == pytest.approx(widest, rel=2**-10)


@pytest.mark.parametrize("name", MEASURING)
def test_zeros(name: str) -> None:
    assert range_of(EVERY[name], [torch.zeros(1, 50), -torch.zeros(1, 50)]) == (
        0,
        LEAST.get(name, 0),
    )


@pytest.mark.parametrize("name", MEASURING)
def test_zeros_before_data_do_not_matter_for_the_largest(name: str) -> None:
    observer = EVERY[name]
    if name == "moving_average":
        observer = MovingAverage(averaging_constant=1.0)
    low, high = range_of(observer, [torch.zeros(1, 9), torch.tensor([[-1.0, 0.5, 1.0, 1.0]])])
    assert max(-low, high) == pytest.approx(1, rel=2**-10)


@pytest.mark.parametrize("name", [n for n in MEASURING if n not in LEAST])
@pytest.mark.parametrize("factor", [2.0**-60, 2.0**100])
def test_a_power_of_two_changes_nothing_but_the_scale(name: str, factor: float) -> None:
    values = batches("laplace", count=3, size=2000)
    low, high = range_of(EVERY[name], values)
    assert range_of(EVERY[name], [x * factor for x in values]) == (low * factor, high * factor)


# each observer against its reference


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_min_max(distribution: str) -> None:
    values = batches(distribution)
    x = together(values)
    assert range_of(MinMax(), values) == (x.min(), x.max())


@pytest.mark.parametrize("constant", [0.0, 0.01, 0.5, 1.0])
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_moving_average(distribution: str, constant: float) -> None:
    values = batches(distribution, size=200)
    found = range_of(MovingAverage(constant), values)
    assert found == pytest.approx(moving_average(values, constant), rel=1e-14)
    if constant == 0:
        assert found == (values[0].double().min(), values[0].double().max())


@pytest.mark.parametrize("constant", [0.0, 0.01, 0.5, 1.0])
def test_moving_averages_merge(constant: float) -> None:
    observer, values = MovingAverage(constant), batches("outliers", count=30, size=50)
    whole = fed(observer, values)
    for cut in (0, 1, 11, 29, 30):
        merged = observer.merge(
            fed_or_start(observer, values[:cut]), fed_or_start(observer, values[cut:])
        )
        for name, tensor in merged.tensors().items():
            torch.testing.assert_close(tensor, whole.tensors()[name], rtol=1e-13, atol=0)


def fed_or_start(observer: Observer, values: list[Tensor]):
    return fed(observer, values) if values else observer.start(1)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("percentile", [50, 99, 99.99, 100])
def test_percentile(distribution: str, percentile: float) -> None:
    values = batches(distribution)
    magnitudes = np.sort(np.abs(together(values)))
    low, high = range_of(Percentile(percentile), values)
    assert low == -high
    # the share of magnitudes inside, give or take one bin
    width = 2.0 ** np.ceil(np.log2(magnitudes[-1])) / 2048
    wanted = np.quantile(magnitudes, percentile / 100, method="inverted_cdf")
    if wanted == 0:
        wanted = magnitudes[-1]
    assert abs(high - wanted) <= width
    if percentile == 100:
        assert high == magnitudes[-1]


def test_percentile_follows_the_share_and_not_the_outlier() -> None:
    x = torch.cat([torch.linspace(-1, 1, 10_000), torch.tensor([300.0])])[None]
    assert range_of(Percentile(99.9, bins=1 << 16), [x])[1] == pytest.approx(1, abs=0.01)
    assert range_of(Percentile(100), [x])[1] == 300


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("stride", [1, 7, 20])
def test_mse(distribution: str, stride: int) -> None:
    values = batches(distribution)
    x = together(values)
    low, high = range_of(Mse(stride), values)
    assert low == -high
    steps = high / np.abs(x).max() * 100
    assert steps == pytest.approx(round(steps))
    assert round(100 - steps) % stride == 0
    # its choice costs, on every single value, hardly more than the best choice
    assert squared_error(x, high, INT8) <= 1.01 * best_error(x, INT8, stride)


def test_mse_at_int16_where_bins_are_wider_than_steps() -> None:
    grid = observer_grid(qint16, "half_range")
    values = batches("outliers", count=4)
    x = together(values)
    high = float(Mse().range(fed(Mse(), values), grid)[1])
    assert squared_error(x, high, grid) <= 1.01 * best_error(x, grid)


def test_mse_is_not_led_astray_by_exact_zeros() -> None:
    values = [torch.cat([x, torch.zeros(1, 300_000)], dim=1) for x in batches("normal", count=2)]
    x = together(values)
    high = range_of(Mse(), values)[1]
    assert squared_error(x, high, INT8) <= 1.01 * best_error(x, INT8)


def test_mse_clips_only_where_it_pays() -> None:
    normal = torch.randn(1, 100_000, generator=torch.Generator().manual_seed(0))
    assert range_of(Mse(), [normal])[1] < 0.95 * float(normal.abs().max())
    two_points = torch.tensor([[-1.0, 1.0] * 50])
    assert range_of(Mse(), [two_points])[1] > 0.97


def test_fixed() -> None:
    observer = Fixed(1 / 128)
    state = observer.observe(observer.start(3), torch.full((3, 5), 1e9))
    low, high = observer.range(state, INT8)
    assert torch.equal(high / INT8.divisor, torch.full((3,), 1 / 128, dtype=torch.float64))
    assert torch.equal(low, -high)
    assert same_state(observer.merge(state, observer.start(3)), state)


@pytest.mark.parametrize(
    ("observer", "settings"),
    [
        (Percentile, {"percentile": 0}),
        (Percentile, {"percentile": 100.1}),
        (Percentile, {"bins": 1000}),
        (Mse, {"stride": 0}),
        (Mse, {"stride": 21}),
        (Mse, {"bins": 1}),
        (MovingAverage, {"averaging_constant": 1.5}),
        (Fixed, {"scale": 0.0}),
        (Fixed, {"scale": float("inf")}),
        (Fixed, {}),
        (Fixed, {"scale": 0.5, "threshold": 4.0}),
        (Fixed, {"threshold": -1.0}),
        (Kl, {"bins": 100}),
        (Octav, {"bins": 0}),
        (AciqLaplace, {"bins": 3}),
        (Mix, {"bins": 3}),
        (Clip, {"xmin": 1.0, "xmax": 1.0}),
        (Clip, {"xmin": float("-inf")}),
        (ClipStd, {"std_scale": 0.0}),
    ],
)
def test_settings_out_of_range(observer: type[Observer], settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must|percent"):
        observer(**settings)


# the histogram below percentile and mse

FLOATS = st.floats(-(2.0**127), 2.0**127, width=32)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(FLOATS, min_size=1, max_size=20), min_size=2, max_size=5))
def test_histograms_of_anything_merge_exactly(values: list[list[float]]) -> None:
    state = empty = _histogram.empty(1, 16)
    parts = empty
    for row in values:
        x = torch.tensor([row], dtype=torch.float32)
        state = _histogram.with_values(state, x)
        parts = _histogram.merged(_histogram.with_values(empty, x), parts)
    everything = torch.tensor([[v for row in values for v in row]], dtype=torch.float32)
    assert same_state(state, parts)
    assert same_state(state, _histogram.with_values(empty, everything))
    assert int(state.counts.sum() + state.zeros.sum()) == everything.numel()


def test_bins_of_a_histogram() -> None:
    x = torch.tensor([[-1.0, -0.5, -0.49, 0.0, 0.49, 0.5, 1.99]])
    state = _histogram.with_values(_histogram.empty(1, 4), x)
    assert float(state.width) == 0.5
    assert state.counts.tolist() == [[0, 1, 1, 1, 1, 1, 0, 1]]
    assert (int(state.zeros), float(state.largest)) == (1, float(x[0, -1]))
