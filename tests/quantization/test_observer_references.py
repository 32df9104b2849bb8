"""Every registered observer against a float64 reference of its own, on every distribution."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from qflow import registry
from qflow.dtype import qint4, qint16
from qflow.quantization.grid import ObserverGrid, observer_grid
from qflow.quantization.observer import Observer
from qflow.quantization.observers import _divergence, mix
from qflow.quantization.observers.aciq_gauss import ALPHAS as GAUSS
from qflow.quantization.observers.aciq_gauss import alpha as gauss_alpha
from qflow.quantization.observers.aciq_laplace import ALPHAS as LAPLACE
from qflow.quantization.observers.aciq_laplace import alpha as laplace_alpha
from qflow.quantization.observers.clip import Clip
from qflow.quantization.observers.clip_std import ClipStd
from qflow.quantization.observers.histogram import Histogram, methods
from qflow.quantization.observers.kl import Kl
from qflow.quantization.observers.mix import Mix
from qflow.quantization.observers.octav import Octav
from qflow.quantization.observers.percentile import Percentile
from tests.quantization import reference
from tests.quantization.reference import DISTRIBUTIONS, INT8, Array, batches, together

KIND = "quantization.observers"
INT4 = observer_grid(qint4, "half_range")
INT16 = observer_grid(qint16, "half_range")

Range = tuple[float, float]


def find(observer: Observer, values: list[torch.Tensor], grid: ObserverGrid = INT8) -> Range:
    state = observer.start(1)
    for x in values:
        state = observer.observe(state, x)
    low, high = observer.range(state, grid)
    return float(low), float(high)


def bin_width(x: Array, bins: int) -> float:
    return float(2.0 ** (np.floor(np.log2(np.abs(x).max())) + 1) / bins)


def both(high: float) -> Range:
    return -high, high


def exactly(found: Range, wanted: Range) -> None:
    assert found == pytest.approx(wanted, rel=1e-12)


def within(share: float) -> Callable[[Range, Range], None]:
    def check(found: Range, wanted: Range) -> None:
        assert found == pytest.approx(wanted, rel=share)

    return check


EXACT = {
    "min_max": lambda v, x, g: (x.min(), x.max()),
    "abs_max": lambda v, x, g: both(np.abs(x).max()),
    "moving_average": lambda v, x, g: reference.moving_average(v, 0.01),
    "fixed": lambda v, x, g: both(0.5 * g.divisor),
    "clip": lambda v, x, g: (max(-1.0, min(1.0, x.min())), max(-1.0, min(1.0, x.max()))),
    "clip_std": lambda v, x, g: reference.clip_std(x, 2.6),
    "aciq_gauss": lambda v, x, g: both(reference.aciq_gauss(x, g)),
    "kl": lambda v, x, g: both(reference.least_divergence(x, g, 4096, reference.kl)),
    "symmetric_kl": lambda v, x, g: both(
        reference.least_divergence(x, g, 4096, reference.symmetric_kl)
    ),
    "jsd": lambda v, x, g: both(reference.least_divergence(x, g, 4096, reference.jsd)),
}
"""To the last bits of float64: what they find does not depend on where a value lies in a bin; or,
for the divergences, the reference counts the same bins."""

JUDGED = {"percentile", "mse", "mix", "histogram", "octav", "aciq_laplace", "sophgo"}
"""Judged below, each by what its bins cost it; `sophgo` by the vendor's own thresholds."""


def made(name: str) -> Observer:
    settings = {"scale": 0.5} if name == "fixed" else {}
    observer: Observer = registry.load(KIND, name)(**settings)
    return observer


def test_every_observer_has_a_reference() -> None:
    assert set(EXACT) | JUDGED == set(registry.names(KIND))


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("name", EXACT)
def test_exact_observers(name: str, distribution: str) -> None:
    values = batches(distribution, size=4000)
    x = together(values)
    exactly(find(made(name), values), EXACT[name](values, x, INT8))


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("grid", [INT8, INT4], ids=["int8", "int4"])
def test_octav(distribution: str, grid: ObserverGrid) -> None:
    values = batches(distribution)
    x = together(values)
    low, high = find(Octav(), values, grid)
    assert low == -high
    # a bin counts as its mean: the clip may move by the bin it lies in
    assert abs(high - reference.octav(x, grid)) <= bin_width(x, 2048)
    fine = find(Octav(bins=1 << 16), values, grid)[1]
    assert fine == pytest.approx(reference.octav(x, grid), rel=1e-3)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("grid", [INT8, INT4], ids=["int8", "int4"])
def test_aciq_laplace(distribution: str, grid: ObserverGrid) -> None:
    values = batches(distribution)
    wanted = reference.aciq_laplace(together(values), grid)
    # sums of bins are exact; only the bin the mean lies in counts as its own mean
    exact = registry.load(KIND, "aciq_laplace")
    assert find(exact(), values, grid) == pytest.approx(both(wanted), rel=1e-4)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_aciq_gauss_at_int4(distribution: str) -> None:
    values = batches(distribution, size=500)
    wanted = both(reference.aciq_gauss(together(values), INT4))
    exactly(find(made("aciq_gauss"), values, INT4), wanted)


@pytest.mark.parametrize("bits", [4, 8])
def test_alphas_of_other_grids_come_from_the_same_equations(
    bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = gauss_alpha(bits), laplace_alpha(bits)
    for table in (GAUSS, LAPLACE):
        monkeypatch.setattr(f"{_home(table)}.ALPHAS", {})
    gauss_alpha.cache_clear()
    laplace_alpha.cache_clear()
    assert gauss_alpha(bits) == pytest.approx(given[0], rel=2e-6)
    assert laplace_alpha(bits) == pytest.approx(given[1], rel=1e-8)
    gauss_alpha.cache_clear()
    laplace_alpha.cache_clear()


def _home(table: dict[int, float]) -> str:
    return f"qflow.quantization.observers.{'aciq_gauss' if table is GAUSS else 'aciq_laplace'}"


def test_finer_grids_clip_less() -> None:
    values = batches("laplace")
    for name in ("octav", "aciq_gauss", "aciq_laplace", "mse"):
        found = [find(made(name), values, grid)[1] for grid in (INT4, INT8, INT16)]
        assert found == sorted(found), name
        assert found[0] < found[1], name


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_mix_is_the_best_of_its_percentiles(distribution: str) -> None:
    values = batches(distribution)
    x = together(values)
    low, high = find(Mix(), values)
    assert low == -high
    candidates = [find(Percentile(p), values)[1] for p in mix.PERCENTILES]
    assert high in candidates
    best = min(
        reference.squared_error(x, reference.percentile(x, p), INT8) for p in mix.PERCENTILES
    )
    assert reference.squared_error(x, high, INT8) <= 1.01 * best


@pytest.mark.parametrize("method", methods())
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_histogram_finds_what_the_observer_of_that_name_finds(
    method: str, distribution: str
) -> None:
    values = batches(distribution, count=3, size=2000)
    settings = {"percentile": 99.0} if method == "percentile" else {}
    own = registry.load(KIND, method)(bins=1024, **settings)
    assert find(Histogram(method, 99.0, bins=1024), values) == find(own, values)


def test_methods_of_a_histogram() -> None:
    assert methods() == ("jsd", "kl", "mix", "mse", "percentile", "symmetric_kl")
    with pytest.raises(ValueError, match="one of jsd, kl"):
        Histogram("octav")
    with pytest.raises(ValueError, match="percent"):
        Histogram("percentile", 0)


@pytest.mark.parametrize("name", ["kl", "symmetric_kl", "jsd"])
def test_divergences_at_int4_and_int16(name: str) -> None:
    values = batches("outliers", count=3, size=3000)
    x = together(values)
    measure = getattr(reference, name)
    observer = registry.load(KIND, name)(bins=256)
    exactly(find(observer, values, INT4), both(reference.least_divergence(x, INT4, 256, measure)))
    # 32768 steps need as many bins: with fewer there is nothing to tell ranges apart by
    assert find(observer, values, INT16) == both(np.abs(x).max())


def test_one_value_has_no_narrower_range() -> None:
    # every narrower range would hold it in its tail alone, and gives Q no mass
    assert find(Kl(bins=256), [torch.full((1, 9), 0.3)]) == both(float(np.float32(0.3)))


def test_the_first_of_equal_minima_wins() -> None:
    counts = torch.ones(1024, dtype=torch.float64)
    assert _divergence.best(counts, 4, lambda p, q: p.new_zeros(p.shape[0])) == 1
    by_size = torch.arange(256, 0, -1.0).double()
    sizes: list[int] = []

    def falling(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        sizes.append(p.shape[0])
        return by_size[sum(sizes) - p.shape[0] : sum(sizes)].clamp_min(100)

    # candidates are judged in several goes, and still in order
    assert _divergence.best(counts, 4, falling) == 157
    assert len(sizes) > 1
    assert sum(sizes) == 256


def test_clip_keeps_what_lies_inside() -> None:
    x = [torch.tensor([[-0.25, 0.5]])]
    assert find(Clip(), x) == (-0.25, 0.5)
    assert find(Clip(-0.1, 0.2), x) == pytest.approx((-0.1, 0.2))
    assert find(Clip(1.0, 2.0), x) == (1.0, 1.0)


def test_clip_std_follows_its_factor() -> None:
    values = batches("normal")
    narrow, wide = (find(ClipStd(k), values) for k in (0.5, 2.0))
    exactly(narrow, reference.clip_std(together(values), 0.5))
    assert wide[1] > narrow[1]
