"""Sums of int8 kernels on two threads, many times: prints, as JSON, the layers that were ever wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import conv2d

from qflow.emulation.carriers import onednn
from qflow.emulation.carriers.onednn import Geometry

THREADS, ZERO = 2, 128
RUNS, RUNS_OF_ONE = 4, 60
"""What one thread does to the other does not show in every run. It was seen in layers of 1 by 1."""
RUNS_OF_SLOW = 8
"""Those of groups so narrow run in a kernel that takes twenty times as long."""


class Layer(NamedTuple):
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    groups: int

    @property
    def runs(self) -> int:
        if self.kernel != (1, 1):
            return RUNS
        return RUNS_OF_ONE if self.groups == 1 else RUNS_OF_SLOW


def layers() -> Iterator[Layer]:
    kernels, strides = [(1, 1), (1, 3), (3, 3)], [(1, 1), (2, 2), (1, 3), (2, 1)]
    for kernel, stride, padding, groups in product(kernels, strides, [(0, 0), (1, 1)], [1, 4]):
        yield Layer(kernel, stride, padding, groups)


def is_right(layer: Layer) -> bool:
    random = np.random.default_rng(0)
    channels, out = 24, 48
    shape = (out, channels // layer.groups, *layer.kernel)
    weight = random.integers(-64, 64, shape).astype(np.int8)
    images = torch.from_numpy(random.integers(0, 256, (64, channels, 8, 7)).astype(np.uint8))
    images = images.contiguous(memory_format=torch.channels_last)
    geometry = Geometry(layer.stride, layer.padding, (1, 1), layer.groups, ZERO)
    ones, zeros = np.ones(out, np.float32), np.zeros(out, np.float32)
    run = onednn.convolution(weight, ones, zeros, geometry, None)
    # sums below 24 bits are exact in float32
    exact = conv2d(
        images.float() - ZERO,
        torch.from_numpy(weight).float(),
        None,
        layer.stride,
        layer.padding,
        1,
        layer.groups,
    )
    return all(torch.equal(run(images), exact) for _ in range(layer.runs))


def main() -> None:
    torch.set_num_threads(THREADS)
    found = list(layers())
    json.dump({"layers": len(found), "wrong": [x for x in found if not is_right(x)]}, sys.stdout)


if __name__ == "__main__":
    main()
