"""Ranges computed the slow way, in float64 on all values at once: what observers are held against."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from qflow.dtype import qint8
from qflow.quantization.grid import ObserverGrid, observer_grid

Array = npt.NDArray[np.float64]

INT8 = observer_grid(qint8, "half_range")

DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "normal": lambda r, n: r.normal(0, 1, n),
    "laplace": lambda r, n: r.laplace(0.1, 2, n),
    "uniform": lambda r, n: r.uniform(-3, 5, n),
    "one_sided": lambda r, n: np.maximum(r.normal(0, 1, n), 0),
    "negative": lambda r, n: -r.exponential(0.01, n),
    "heavy": lambda r, n: r.standard_t(2, n),
    "outliers": lambda r, n: np.where(r.random(n) < 1e-3, 50, 1) * r.normal(0, 1, n),
}


def batches(name: str, count: int = 8, size: int = 20_000, seed: int = 0) -> list[Tensor]:
    """Float32 batches [1, size] whose spread grows, so that ranges have to grow with them."""
    random = np.random.default_rng(seed)
    draw = DISTRIBUTIONS[name]
    spreads = np.linspace(0.3, 1, count)
    return [torch.tensor(s * draw(random, size), dtype=torch.float32)[None] for s in spreads]


def together(values: list[Tensor]) -> Array:
    return torch.cat(values, dim=1)[0].double().numpy()


def squared_error(x: Array, high: float, grid: ObserverGrid) -> float:
    """Mean squared error of quantizing and dequantizing every single value."""
    scale = high / grid.divisor
    steps = np.clip(np.round(x / scale), grid.qmin, grid.qmax)
    return float(np.mean((x - steps * scale) ** 2))


def best_error(x: Array, grid: ObserverGrid, stride: int = 1) -> float:
    """The lowest squared error among percent steps of the largest magnitude."""
    largest = np.abs(x).max()
    return min(squared_error(x, p / 100 * largest, grid) for p in range(100, 0, -stride))


def moving_average(values: list[Tensor], constant: float) -> tuple[float, float]:
    low, high = float(values[0].min()), float(values[0].max())
    for x in values[1:]:
        low += constant * (float(x.min()) - low)
        high += constant * (float(x.max()) - high)
    return low, high


# what each observer should find, from all values at once


def percentile(x: Array, percent: float) -> float:
    """The smallest magnitude that so many percent of all do not exceed."""
    magnitudes = np.abs(x)
    found = float(np.quantile(magnitudes, percent / 100, method="inverted_cdf"))
    return found or float(magnitudes.max())


def bits_of(grid: ObserverGrid) -> int:
    return int(np.log2(grid.qmax - grid.qmin + 1))


def capped(high: float, x: Array, cap: bool) -> float:
    return float(min(high, np.abs(x).max()) if cap else high)


def octav(x: Array, grid: ObserverGrid, cap: bool = True) -> float:
    magnitudes = np.abs(x)
    share = 4.0 ** -bits_of(grid) / (3 * (4 if x.min() == 0 else 1))
    s = magnitudes[magnitudes > 0].mean()
    for _ in range(20):
        above = magnitudes > s
        after = magnitudes[above].sum() / (share * (~above).sum() + above.sum())
        done = abs(after - s) < 1e-6 * magnitudes.max()
        s = after
        if done:
            break
    return capped(s, x, cap)


def aciq_gauss(x: Array, grid: ObserverGrid, cap: bool = True) -> float:
    alpha = {4: 2.55913642, 8: 3.92403337}[bits_of(grid)]
    spread = (x.max() - x.min()) * 0.5 * 0.35 * (1 + np.sqrt(np.pi * np.log(4)))
    return capped(alpha * spread / np.sqrt(2 * np.log(x.size)), x, cap)


def aciq_laplace(x: Array, grid: ObserverGrid, cap: bool = True) -> float:
    alpha = {4: 5.02864014, 8: 9.89675982}[bits_of(grid)]
    return capped(alpha * np.abs(x - x.mean()).mean(), x, cap)


def clip_std(x: Array, factor: float) -> tuple[float, float]:
    reach = factor * x.std()
    return max(x.mean() - reach, x.min()), min(x.mean() + reach, x.max())


def kl(p: Array, q: Array) -> float:
    return float(np.sum(p * (np.log10(p + 1e-30) - np.log10(q + 1e-30))))


def symmetric_kl(p: Array, q: Array) -> float:
    return kl(p, q) + kl(q, p)


def jsd(p: Array, q: Array) -> float:
    return (kl(p, (p + q) / 2) + kl(q, (p + q) / 2)) / 2


def magnitude_histogram(x: Array, bins: int) -> tuple[Array, float]:
    """Counts and width of bins below the first power of two above every magnitude, zeros left out."""
    magnitudes = np.abs(x[x != 0])
    width = 2.0 ** (np.floor(np.log2(magnitudes.max())) + 1) / bins
    counts, _ = np.histogram(magnitudes, bins=bins, range=(0, bins * width))
    return counts.astype(np.float64), width


def divergences(counts: Array, steps: int, measure: Callable[[Array, Array], float]) -> list[float]:
    """The divergence of every range of 1, 2, ... bins per group, the slow way."""
    found = []
    total = counts.sum()
    for size in range(1, counts.size // steps + 1):
        edge = size * steps
        p = counts[:edge].copy()
        p[-1] += counts[edge:].sum()
        q = np.zeros(edge)
        for group in range(steps):
            part = counts[group * size : (group + 1) * size]
            level = part.sum() / max(1, np.count_nonzero(part)) / max(1, counts[:edge].sum())
            q[group * size : (group + 1) * size] = np.where(part != 0, level, 0)
        found.append(measure(p / total, q))
    return found


def least_divergence(
    x: Array, grid: ObserverGrid, bins: int, measure: Callable[[Array, Array], float]
) -> float:
    counts, width = magnitude_histogram(x, bins)
    steps = -grid.qmin
    # as many groups as the widest value needs
    used = -(-(int(np.flatnonzero(counts)[-1]) + 1) // steps) * steps
    found = divergences(counts[:used], steps, measure)
    return float(min((int(np.argmin(found)) + 1) * steps * width, np.abs(x).max()))
