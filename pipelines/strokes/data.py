"""Data: the handwritten digits of scikit-learn under noise, and where their ink really is."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

NOISE = 0.6
"""Standard deviation of what is added to images in [-1, 1]."""
NOISE_SEED = 20_261_121
HELD_OUT = 360


class Strokes:
    """Noisy images float32 [1, 8, 8] with a class per pixel, int64 [8, 8]: 0 paper, 1 ink."""

    def __init__(self, images: Tensor, ink: Tensor) -> None:
        """`images` is float32 [N, 1, 8, 8], `ink` int64 [N, 8, 8]."""
        self.images = images
        self.ink = ink

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """One image and its ink. Raises IndexError past the end."""
        return self.images[index], self.ink[index]


def training() -> Strokes:
    """The 1,437 images a network may learn from."""
    return _split()[0]


def calibration() -> Strokes:
    """What observers may see: training images."""
    return _split()[0]


def validation() -> Strokes:
    """The 360 held-out images."""
    return _split()[1]


@cache
def _split() -> tuple[Strokes, Strokes]:
    # here and not above: a machine that only checks the program has no scikit-learn
    from sklearn.datasets import load_digits

    generator = torch.Generator().manual_seed(NOISE_SEED)
    clean = torch.from_numpy(load_digits().images).float() / 8 - 1
    noisy = clean + NOISE * torch.randn(clean.shape, generator=generator)
    images, ink = noisy.clamp(-2, 2).unsqueeze(1), (clean >= 0).long()
    order = torch.randperm(len(clean), generator=generator)
    kept, held_out = order[HELD_OUT:], order[:HELD_OUT]
    return Strokes(images[kept], ink[kept]), Strokes(images[held_out], ink[held_out])
