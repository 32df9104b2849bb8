"""Tables of bytes: every byte, odd sizes, slices, channels last."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qflow.emulation.runtimes._bytes import read

pytestmark = pytest.mark.usefixtures("both_paths")

CPU = torch.device("cpu")


def table(dtype: str) -> np.ndarray:
    info = np.iinfo(dtype)
    return np.random.default_rng(0).integers(info.min, info.max + 1, 256).astype(dtype)


@pytest.mark.parametrize("made", ["int8", "uint8", "int16"])
@pytest.mark.parametrize("taken", [torch.int8, torch.uint8, torch.float32])
def test_every_byte(made: str, taken: torch.dtype) -> None:
    entries = table(made)
    every = torch.arange(256, dtype=torch.uint8)
    x = every.view(torch.int8) if taken != torch.uint8 else every
    found = read(entries, CPU)(x.to(taken))
    assert np.array_equal(found.numpy(), entries)


@pytest.mark.parametrize("shape", [(0,), (1,), (3, 5), (2, 3, 5, 7), (1, 4, 2, 2)])
@pytest.mark.parametrize("start", [0, 1])
def test_odd_sizes_and_slices(shape: tuple[int, ...], start: int) -> None:
    entries = table("int8")
    many = torch.randint(-128, 128, (start + int(np.prod(shape)),), dtype=torch.int8)
    x = many[start:].reshape(shape)
    wanted = entries[x.numpy().view(np.uint8)]
    assert np.array_equal(read(entries, CPU)(x).numpy(), wanted)
    if x.ndim == 4:
        last = x.contiguous(memory_format=torch.channels_last)
        found = read(entries, CPU)(last)
        assert np.array_equal(found.numpy(), wanted)
        assert found.is_contiguous(memory_format=torch.channels_last)
