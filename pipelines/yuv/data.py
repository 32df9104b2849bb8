"""Data: drawn images, RGB 0..255: one shape of a plain colour on a grey, textured ground.

They are synthetic and say so: no camera was at work. What they have of one is uneven light, noise
and a cast, so that the colour has to be seen and cannot be read off.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

COLOURS = ("red", "yellow", "green", "cyan", "blue", "magenta")
HUES = np.array(
    [[200, 70, 70], [190, 180, 70], [70, 170, 80], [70, 170, 180], [70, 80, 190], [180, 75, 170]],
    np.float32,
)
SIZE = 16
MEAN, STD = (121.0, 120.0, 120.0), (53.0, 51.0, 52.0)
"""Per channel, of the training images, rounded. `yuv_camera.qf` has the same numbers."""


class Shapes:
    """Images float32 [3, 16, 16], (rgb - mean) / std, and the number of the shape's colour."""

    def __init__(self, count: int, seed: int) -> None:
        """`count` images, as many of each colour; `seed` decides every pixel."""
        self.colours = np.arange(count) % len(COLOURS)
        self.images = _drawn(self.colours, np.random.default_rng(seed))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """One image and its colour. Raises IndexError past the end."""
        image = torch.from_numpy(self.images[index].astype(np.float32))
        return normalized(image), int(self.colours[index])


def normalized(rgb: Tensor) -> Tensor:
    """What the network takes of images [..., 3, H, W] in 0..255."""
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in (MEAN, STD))
    return (rgb - mean) / std


def training() -> Shapes:
    """What the network learned from, and what observers may see."""
    return Shapes(1800, seed=11)


def validation() -> Shapes:
    """Other images, drawn from another seed; no stage but evaluation may see them."""
    return Shapes(360, seed=12)


def _drawn(colours: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """uint8 [N, 3, 16, 16]."""
    count = len(colours)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    centre = random.uniform(5, 10, (2, count, 1, 1)).astype(np.float32)
    reach = random.uniform(1.6, 4, (count, 1, 1)).astype(np.float32)
    down, right = np.abs(rows - centre[0]), np.abs(columns - centre[1])
    disc = np.sqrt(down**2 + right**2) < reach
    square = np.maximum(down, right) < reach * 0.8
    inside = np.where(random.random((count, 1, 1)) < 0.5, disc, square)[:, None]
    texture = random.uniform(60, 180, (count, 1, 1, 1))
    ground = texture + random.normal(0, 12, (count, 1, SIZE, SIZE))
    slope = random.uniform(-0.3, 0.3, (2, count, 1, 1))
    light = 1 + slope * np.stack([rows, columns])[:, None] / SIZE
    image = np.where(inside, HUES[colours][:, :, None, None], ground) * light.prod(0)[:, None]
    cast = random.uniform(0.7, 1.3, (count, 3, 1, 1))
    noisy = image * cast + random.normal(0, 22, (count, 3, SIZE, SIZE))
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
