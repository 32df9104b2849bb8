"""grid_sample on floats, in NumPy: every mode and padding of torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qflow.emulation.ops._resample import cubic


def sampled(image: np.ndarray, places: np.ndarray, attributes: Mapping[str, Any]) -> np.ndarray:
    """float64 [batch, channels, h, w] of an image and places [batch, h, w, 2] from -1 to 1."""
    padding, aligned, mode = (attributes[n] for n in ("padding_mode", "align_corners", "mode"))
    sizes = image.shape[3], image.shape[2]
    x, y = (_pixels(places[..., i], sizes[i], aligned) for i in range(2))
    if mode != "bicubic":
        x, y = (_inside(p, n, padding, aligned) for p, n in zip((x, y), sizes, strict=True))
    if mode == "nearest":
        return _taken(image, np.rint(x), np.rint(y))
    left, top = np.floor(x), np.floor(y)
    across, down = _weights(x - left, mode), _weights(y - top, mode)
    total = np.zeros((*image.shape[:2], *x.shape[1:]))
    for i, vertical in down:
        for j, horizontal in across:
            column, row = left + j, top + i
            if mode == "bicubic":
                column = _inside(column, sizes[0], padding, aligned)
                row = _inside(row, sizes[1], padding, aligned)
            total += (vertical * horizontal)[:, None] * _taken(image, column, row)
    return total


def _weights(fraction: np.ndarray, mode: str) -> list[tuple[int, np.ndarray]]:
    """Pixels around a place, by their distance from the one before it, and their weights."""
    if mode == "bicubic":
        return list(zip((-1, 0, 1, 2), cubic(fraction), strict=True))
    return [(0, 1 - fraction), (1, fraction)]


def _pixels(place: np.ndarray, size: int, aligned: bool) -> np.ndarray:
    return (place + 1) / 2 * (size - 1) if aligned else ((place + 1) * size - 1) / 2


def _inside(place: np.ndarray, size: int, padding: str, aligned: bool) -> np.ndarray:
    """The place as the padding moves it into the image; `zeros` leaves it."""
    if padding == "zeros":
        return place
    if padding == "border":
        return np.clip(place, 0, size - 1)
    low, span = (0.0, size - 1.0) if aligned else (-0.5, float(size))
    if span == 0:
        return np.zeros_like(place)
    turns, rest = np.divmod(np.abs(place - low), span)
    return np.clip(np.where(turns % 2 == 0, rest, span - rest) + low, 0, size - 1)


def _taken(image: np.ndarray, column: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Pixels of every channel, 0 outside of the image."""
    height, width = image.shape[2:]
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    columns = np.clip(column, 0, width - 1).astype(np.int64)
    rows = np.clip(row, 0, height - 1).astype(np.int64)
    batch = np.arange(len(image))[:, None, None]
    return np.moveaxis(image[batch, :, rows, columns], -1, 1) * inside[:, None]
