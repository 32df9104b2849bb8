"""Where the values of a resized axis come from, for every mode of torch's `interpolate`."""

from __future__ import annotations

import numpy as np

from qflow.emulation.ops._resample import cubic


def nearest(mode: str, size: int, count: int, factor: float | None) -> np.ndarray:
    """int64 [count]: the pixel of an axis of `size` that each place of the output takes.

    In float32, as torch computes it whatever the dtype of the image, its shortcuts included.
    """
    place = np.arange(count)
    if mode == "nearest" and count in (size, 2 * size):
        return place if count == size else place >> 1
    step = np.float32(size) / np.float32(count) if factor is None else np.float32(1 / factor)
    shifted = place.astype(np.float32) + np.float32(0.5 if mode == "nearest-exact" else 0)
    return np.minimum(np.floor(shifted * step).astype(np.int64), size - 1)


def places(size: int, count: int, factor: float | None, aligned: bool) -> np.ndarray:
    """float64 [count]: where each place of the output lies on an axis of `size`, in pixels."""
    place = np.arange(count, dtype=np.float64)
    if aligned:
        return place * ((size - 1) / (count - 1) if count > 1 else 0.0)
    return (place + 0.5) * (size / count if factor is None else 1 / factor) - 0.5


def linear(
    size: int, count: int, factor: float | None, aligned: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Per place of the output the pixel before it, int64, and how far it lies behind that pixel."""
    place = np.maximum(places(size, count, factor, aligned), 0.0)
    before = np.minimum(np.floor(place).astype(np.int64), size - 1)
    return before, np.clip(place - before, 0.0, 1.0)


def weights(mode: str, size: int, count: int, factor: float | None, aligned: bool) -> np.ndarray:
    """float64 [count, size]: the resized axis is this matrix times the axis."""
    matrix, rows = np.zeros((count, size)), np.arange(count)
    if mode.startswith("nearest"):
        matrix[rows, nearest(mode, size, count, factor)] = 1
        return matrix
    if mode == "area":
        for i in rows:
            first, last = i * size // count, -(-(i + 1) * size // count)
            matrix[i, first:last] = 1 / (last - first)
        return matrix
    if mode == "bicubic":
        place = places(size, count, factor, aligned)
        whole = np.floor(place).astype(np.int64)
        for tap, weight in enumerate(cubic(place - whole)):
            np.add.at(matrix, (rows, np.clip(whole + tap - 1, 0, size - 1)), weight)
        return matrix
    before, fraction = linear(size, count, factor, aligned)
    np.add.at(matrix, (rows, before), 1 - fraction)
    np.add.at(matrix, (rows, np.minimum(before + 1, size - 1)), fraction)
    return matrix
