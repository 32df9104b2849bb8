"""Windows that slide along any number of axes: their geometry and the plain sums over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from qflow.emulation.op import Unsupported

Sizes = tuple[int, ...]
EDGES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""Modes of padding as NumPy calls them."""


def geometry(attributes: Mapping[str, Any], axes: int) -> tuple[Sizes, Sizes, Sizes, Sizes]:
    """kernel, stride, dilation and padding. Raises Unsupported where they are for other axes."""
    kernel, stride, dilation = (tuple(attributes[n]) for n in ("kernel", "stride", "dilation"))
    padding = tuple(attributes["padding"])
    if not len(kernel) == len(stride) == len(dilation) == axes or len(padding) != 2 * axes:
        raise Unsupported(f"kernel {kernel} and padding {padding} are not for {axes} axes")
    return kernel, stride, dilation, padding


def convolved(x: np.ndarray, weight: np.ndarray, attributes: Mapping[str, Any]) -> np.ndarray:
    """The plain sums: x [batch, channels, ...] by weight [outputs, channels of a group, ...].

    What stands for an array may have a form of them of its own.
    """
    if not isinstance(x, np.ndarray):
        return x.convolved(weight, attributes)  # type: ignore[no-any-return]
    n = x.ndim - 2
    padding = attributes["padding"]
    x = np.pad(x, [(0, 0), (0, 0), *zip(padding[:n], padding[n:], strict=True)])
    seen = windows(x, attributes["kernel"], attributes["stride"], attributes["dilation"])
    groups = attributes["groups"]
    pairs = zip(np.split(seen, groups, axis=1), np.split(weight, groups), strict=True)
    taps = tuple(range(n + 2, 2 * n + 2))
    axes = ((1, *taps), tuple(range(1, n + 2)))
    sums = [np.tensordot(part, w, axes=axes) for part, w in pairs]
    return np.moveaxis(np.concatenate(sums, axis=-1), -1, 1)


def windows(x: np.ndarray, kernel: Sizes, stride: Sizes, dilation: Sizes) -> np.ndarray:
    """[batch, channel, places ..., taps ...] of [batch, channel, ...]."""
    reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    every = sliding_window_view(x, reach, axis=tuple(range(2, x.ndim)))
    steps = [slice(None, None, s) for s in (*stride, *dilation)]
    return every[(slice(None), slice(None), *steps)]


def padding_of(padding: Any, kernel: Sizes, dilation: Sizes) -> Sizes:
    """Before each axis and behind each, of numbers or of the words `same` and `valid`."""
    if padding == "valid":
        return (0,) * (2 * len(kernel))
    if padding != "same":
        return (*padding, *padding)
    # the odd one goes behind, as in torch
    total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return (*(t // 2 for t in total), *(t - t // 2 for t in total))


def padded(x: np.ndarray, padding: Sizes, mode: str) -> np.ndarray:
    """[batch, channel, ...] with what stands at its edges around it."""
    n = x.ndim - 2
    sides = [(0, 0), (0, 0), *zip(padding[:n], padding[n:], strict=True)]
    kinds: Any = EDGES[mode]
    return np.pad(x, sides, mode=kinds)
