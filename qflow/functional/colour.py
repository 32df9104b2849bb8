"""colour: RGB and BGR images to YUV and grey as an image unit makes them, for training.

Images are [..., 3, H, W] with values 0..255, in any order of the channels the name says; Y, U, V
come in this order. The results are whole numbers: (W . rgb + 128) / 256 + offset, truncated.
Floating point tensors keep their dtype, others become float32. `swing` is `full` or `studio`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from qflow.functional._images import as_image, chosen
from qflow.quantization.colour_space import CENTRE, FORWARD, OFFSETS

__all__ = [
    "bgr2centered_gray",
    "bgr2centered_yuv",
    "bgr2gray",
    "bgr2rgb",
    "bgr2yuv",
    "rgb2bgr",
    "rgb2centered_gray",
    "rgb2centered_yuv",
    "rgb2gray",
    "rgb2yuv",
]


def rgb2yuv(input: Tensor, swing: str | None = None) -> Tensor:
    """0..255 in full swing; Y 16..235, U and V 16..240 in studio swing. Raises QF293."""
    return _yuv(as_image(input, "rgb2yuv"), chosen(swing, "rgb2yuv"))


def bgr2yuv(input: Tensor, swing: str | None = None) -> Tensor:
    """As `rgb2yuv`, of an image whose first channel is blue."""
    return _yuv(as_image(input, "bgr2yuv").flip(-3), chosen(swing, "bgr2yuv"))


def rgb2centered_yuv(input: Tensor, swing: str | None = None) -> Tensor:
    """128 less than `rgb2yuv`: -128..127 in full swing; Y -112..107, U and V +-112 in studio."""
    return _yuv(as_image(input, "rgb2centered_yuv"), chosen(swing, "rgb2centered_yuv")) - CENTRE


def bgr2centered_yuv(input: Tensor, swing: str | None = None) -> Tensor:
    """As `rgb2centered_yuv`, of an image whose first channel is blue."""
    image = as_image(input, "bgr2centered_yuv").flip(-3)
    return _yuv(image, chosen(swing, "bgr2centered_yuv")) - CENTRE


def rgb2gray(input: Tensor) -> Tensor:
    """The Y of full swing, 0..255, [..., 1, H, W]. Raises QF293."""
    return _yuv(as_image(input, "rgb2gray"), "full")[..., :1, :, :]


def bgr2gray(input: Tensor) -> Tensor:
    """As `rgb2gray`, of an image whose first channel is blue."""
    return _yuv(as_image(input, "bgr2gray").flip(-3), "full")[..., :1, :, :]


def rgb2centered_gray(input: Tensor) -> Tensor:
    """128 less than `rgb2gray`: -128..127."""
    return rgb2gray(input) - CENTRE


def bgr2centered_gray(input: Tensor) -> Tensor:
    """128 less than `bgr2gray`: -128..127."""
    return bgr2gray(input) - CENTRE


def rgb2bgr(input: Tensor) -> Tensor:
    """The channels in reverse order; dtype and values stay. Raises QF293."""
    as_image(input, "rgb2bgr")
    return input.flip(-3)


def bgr2rgb(input: Tensor) -> Tensor:
    """The channels in reverse order; dtype and values stay. Raises QF293."""
    as_image(input, "bgr2rgb")
    return input.flip(-3)


def _yuv(rgb: Tensor, swing: str) -> Tensor:
    # float32 holds every sum of whole numbers exactly; half precision does not
    red, green, blue = rgb.double().unbind(-3) if rgb.itemsize > 4 else rgb.float().unbind(-3)
    planes = [
        ((a * red + b * green + c * blue + 128) / 256 + offset).trunc()
        for (a, b, c), offset in zip(FORWARD[swing], OFFSETS[swing], strict=True)
    ]
    return torch.stack(planes, -3).to(rgb.dtype)
