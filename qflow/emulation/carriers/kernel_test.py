"""kernel_test: the kernels of one layer on the operands most likely to show them wrong.

The proofs of `onednn` and `affine` rest on what the kernels of oneDNN do. Here the own weights of a
layer meet windows of extremes and of random values, and every sum is compared with exact ones: a
library that does otherwise is not used for that layer.

The windows with the largest and with the smallest sum of a channel hold the largest and the
smallest of every two products that may meet in it, whichever those are. So where exactness rests on
who meets whom (`Feed.paired`), each channel meets both.
"""

from __future__ import annotations

import numpy as np

from qflow.emulation.carriers import onednn
from qflow.emulation.carriers.feed import Feed
from qflow.emulation.carriers.onednn import Geometry

RANDOM = 4
"""Windows of random values."""
EXTREME = 4
"""Output channels per group that meet their own largest and smallest sums, where a few will do."""
MOST_WORK = 1 << 25
"""Bytes of windows."""
FLOAT32 = 1 << 24
"""float32 holds every integer up to here."""


def is_exact(feed: Feed, groups: int) -> bool:
    """Whether the sums of one window per test are those of int64."""
    import torch

    channels = len(feed.weight)
    picked = np.random.default_rng(0).permutation(channels // groups)
    if not feed.paired:
        picked = picked[:EXTREME]
    elif picked.size * feed.weight[0].size > MOST_WORK:
        return False
    ones, zeros = np.ones(channels, np.float32), np.zeros(channels, np.float32)
    window = Geometry(groups=groups, zero=feed.zero)
    kernel = onednn.convolution(feed.weight, ones, zeros, window, None)
    windows = _windows(feed, groups, picked)
    images = torch.from_numpy(windows).contiguous(memory_format=torch.channels_last)
    found = kernel(images).numpy().reshape(len(windows), channels)
    exact = _sums(feed, groups, windows)
    if feed.paired and np.abs(exact).max() >= FLOAT32:
        return False  # rounded, they might hide what is missing
    # float32 is what comes out: sums beyond 24 bits are rounded there
    return bool(np.array_equal(found, exact.astype(np.float32)))


def _windows(feed: Feed, groups: int, picked: np.ndarray) -> np.ndarray:
    """uint8 [tests, channels, rows, columns], the extremes of `picked` channels of each group."""
    out, width, *sides = feed.weight.shape
    shape = (groups * width, *sides)
    some = np.random.default_rng(0).integers(0, feed.most + 1, (RANDOM, *shape), np.uint8)
    some[0] = feed.most
    per_group = feed.weight.reshape(groups, out // groups, width, *sides)
    of_one = per_group[:, picked].swapaxes(0, 1).reshape(len(picked), *shape)
    largest = [(sign * of_one > 0) * np.uint8(feed.most) for sign in (1, -1)]
    return np.concatenate([some, *largest])


def _sums(feed: Feed, groups: int, windows: np.ndarray) -> np.ndarray:
    """int64 [tests, channels]"""
    # float64 sums of 8-bit products are exact, and fast
    operands = (windows.astype(np.float64) - feed.zero).reshape(len(windows), groups, -1)
    weight = feed.weight.reshape(groups, len(feed.weight) // groups, -1).astype(np.float64)
    found = operands.swapaxes(0, 1) @ weight.swapaxes(1, 2)
    return found.swapaxes(0, 1).reshape(len(windows), -1).astype(np.int64)
