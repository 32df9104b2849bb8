"""int8 kernels on two threads: the sums of every image are its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from qflow.emulation.carriers import onednn
from qflow.emulation.carriers.onednn import Geometry

pytestmark = pytest.mark.skipif(not onednn.is_there(), reason="this torch has no int8 kernels")
RUNS, RUNS_OF_ONE = 4, 60
"""What one thread does to the other does not show in every run. It was seen in layers of 1 by 1."""


@pytest.mark.parametrize("kernel", [(1, 1), (1, 3), (3, 3)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (1, 3), (2, 1)])
@pytest.mark.parametrize("padding", [(0, 0), (1, 1)])
@pytest.mark.parametrize("groups", [1, 4])
def test_sums_of_a_large_batch(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    groups: int,
    two_threads: None,
) -> None:
    random = np.random.default_rng(0)
    channels, out, zero = 24, 48, 128
    weight = random.integers(-64, 64, (out, channels // groups, *kernel)).astype(np.int8)
    images = torch.from_numpy(random.integers(0, 256, (64, channels, 8, 7)).astype(np.uint8))
    images = images.contiguous(memory_format=torch.channels_last)
    geometry = Geometry(stride, padding, (1, 1), groups, zero)
    ones, zeros = np.ones(out, np.float32), np.zeros(out, np.float32)
    run = onednn.convolution(weight, ones, zeros, geometry, None)
    # sums below 24 bits are exact in float32
    exact = conv2d(
        images.float() - zero, torch.from_numpy(weight).float(), None, stride, padding, 1, groups
    )
    for _ in range(RUNS_OF_ONE if kernel == (1, 1) else RUNS):
        assert torch.equal(run(images), exact)
