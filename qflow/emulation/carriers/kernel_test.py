"""kernel_test: the kernels of one layer on the operands most likely to show them wrong.

The proofs of `onednn` and `affine` rest on what the kernels of oneDNN do. Here the own weights of a
layer meet windows of extremes and of random values, and every sum is compared with exact ones: a
library that does otherwise is not used for that layer.
"""

from __future__ import annotations

import numpy as np

from qflow.emulation.carriers import onednn
from qflow.emulation.carriers.feed import Feed
from qflow.emulation.carriers.onednn import Geometry

RANDOM = 4
"""Windows of random values."""
EXTREME = 4
"""Output channels that meet their own largest and smallest sums."""


def is_exact(feed: Feed, groups: int) -> bool:
    """Whether the sums of one window per test are those of int64."""
    import torch

    channels = len(feed.weight)
    ones, zeros = np.ones(channels, np.float32), np.zeros(channels, np.float32)
    window = Geometry(groups=groups, zero=feed.zero)
    kernel = onednn.convolution(feed.weight, ones, zeros, window, None)
    windows = _windows(feed, groups)
    images = torch.from_numpy(windows).contiguous(memory_format=torch.channels_last)
    found = kernel(images).numpy().reshape(len(windows), channels)
    # float32 is what comes out: sums beyond 24 bits are rounded there
    return bool(np.array_equal(found, _sums(feed, groups, windows).astype(np.float32)))


def _windows(feed: Feed, groups: int) -> np.ndarray:
    """uint8 [tests, channels, rows, columns]"""
    random = np.random.default_rng(0)
    out, width, *sides = feed.weight.shape
    shape = (groups * width, *sides)
    some = random.integers(0, feed.most + 1, (RANDOM, *shape))
    picked = random.choice(out // groups, min(EXTREME, out // groups), replace=False)
    per_group = feed.weight.reshape(groups, out // groups, width, *sides)
    rows = [sign * per_group[:, i].reshape(shape) > 0 for i in picked for sign in (1, -1)]
    largest = np.array([np.ones(shape, bool), *rows]) * feed.most
    return np.concatenate([some, largest]).astype(np.uint8)


def _sums(feed: Feed, groups: int, windows: np.ndarray) -> np.ndarray:
    """int64 [tests, channels]"""
    # float64 sums of 8-bit products are exact, and fast
    operands = (windows.astype(np.float64) - feed.zero).reshape(len(windows), groups, -1)
    weight = feed.weight.reshape(groups, len(feed.weight) // groups, -1).astype(np.float64)
    found = np.einsum("tgk,gok->tgo", operands, weight, optimize=True)
    return found.reshape(len(windows), -1).astype(np.int64)
