"""Data: the 1,797 handwritten digits of scikit-learn, split once into training and validation."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

SPLIT_SEED = 20_240_607
HELD_OUT_EVERY = 5
"""One image in five of every class is held out: 360 images."""


class Digits:
    """Images float32 [1, 8, 8] in [-1, 1] with their labels, in a fixed order."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        """`images` is float32 [N, 1, 8, 8], `labels` int64 [N]."""
        self.images = images
        self.labels = labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """One image float32 [1, 8, 8] and its digit. Raises IndexError past the end."""
        return self.images[index], int(self.labels[index])


def training() -> Digits:
    """The 1,437 images a network may learn from."""
    return _split()[0]


def calibration() -> Digits:
    """What observers may see: training images, so that the held-out ones stay unseen."""
    return _split()[0]


def validation() -> Digits:
    """The 360 held-out images; no stage but evaluation may see them."""
    return _split()[1]


def moved() -> Digits:
    """The held-out images where they are and moved by a pixel up, down, left and right: 1,800.

    A network loses and regains single images of 360; here a tenth of a point is something.
    """
    kept = validation()
    wide = torch.nn.functional.pad(kept.images, (1, 1, 1, 1), value=-1.0)
    places = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))
    images = torch.cat([wide[:, :, row : row + 8, left : left + 8] for row, left in places])
    return Digits(images, kept.labels.repeat(len(places)))


@cache
def _split() -> tuple[Digits, Digits]:
    # here and not above: a machine that only checks the program has no scikit-learn
    from sklearn.datasets import load_digits

    raw = load_digits()
    images = torch.from_numpy(raw.images).float().unsqueeze(1) / 8 - 1
    labels = torch.from_numpy(raw.target).long()
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(SPLIT_SEED))
    # sorted by class, every fifth image of the list is a fifth of every class
    by_class = shuffled[torch.sort(labels[shuffled], stable=True).indices]
    held_out = by_class[::HELD_OUT_EVERY].sort().values
    kept = torch.ones(len(labels), dtype=torch.bool)
    kept[held_out] = False
    return Digits(images[kept], labels[kept]), Digits(images[held_out], labels[held_out])
