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
