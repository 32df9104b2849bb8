"""pixels: an image as bytes to an input of the model, as `preprocess` says."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from typing import Any

import numpy as np
import torch

from qflow.diagnostics import Span
from qflow.engine.sources.refusing import damaged, package, unfit
from qflow.functional import colour
from qflow.plan.plan import PortPlan
from qflow.plan.sources import Preprocess

FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "PPM")
_MODES = ("RGB", "RGBA", "L", "LA", "P", "PA", "1", "CMYK", "YCbCr")
"""Modes of 8 bits a channel and less."""
_LARGEST = 1 << 27
"""Pixels of an image; a small file can claim any number."""
_BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, LookupError),
    *(TypeError, OverflowError, RuntimeError, MemoryError, AttributeError, AssertionError),
)
"""What damaged images make Pillow raise."""


def image(raw: bytes, shown: str, how: Preprocess, port: PortPlan, at: Span | None) -> np.ndarray:
    """The array of one input, without a batch.

    Raises QflowError: QF372 for a file that is no image, QF374 for one that does not fit the
    input, QF405 without Pillow.
    """
    picture = _decoded(raw, shown, at)
    picture = _cropped(_resized(picture, how), how, shown, at)
    planes = _planes(np.asarray(picture), how, shown, at)
    found = _scaled(planes, how, port)
    found = np.ascontiguousarray(found.transpose(1, 2, 0) if how.layout == "hwc" else found)
    dims = port.dims[1:]
    fits = len(dims) == found.ndim and all(
        isinstance(d, str) or d == n for d, n in zip(dims, found.shape, strict=True)
    )
    if not fits:
        reason = f"becomes {list(found.shape)}, and the input `{port.name}` is "
        declared = ", ".join(map(str, dims))
        help_ = "set `resize` and `crop` in `preprocess`, or `layout` and `format`"
        raise unfit(shown, f"{reason}[{declared}]", at, help_)
    return found


def _decoded(raw: bytes, shown: str, at: Span | None) -> Any:
    """The image as RGB of 8 bits, as it lies in the file: turned by nothing that it says."""
    pillow = package("PIL.Image", "images", "reading images")
    try:
        with warnings.catch_warnings():
            # of sizes it finds suspicious: ours is the bound
            warnings.simplefilter("ignore")
            picture = pillow.open(io.BytesIO(raw), formats=FORMATS)
            if picture.width * picture.height > _LARGEST:
                raise damaged(shown, f"it claims {picture.width} x {picture.height} pixels", at)
            mode = picture.mode
            found = picture.convert("RGB") if mode in _MODES else None
    except (*_BROKEN, pillow.DecompressionBombError) as error:
        raise damaged(shown, str(error) or type(error).__name__, at) from error
    if found is None:
        raise unfit(
            shown, f"is of the mode {mode}", at, "convert it to 8 bits a channel, or use a loader"
        )
    return found


def _resized(picture: Any, how: Preprocess) -> Any:
    if not how.resize:
        return picture
    width, height = picture.size
    if len(how.resize) == 2:
        height, width = how.resize
    else:
        short = min(width, height)
        # the longer side is cut to a whole number, as torchvision does
        width, height = (max(1, n * how.resize[0] // short) for n in (width, height))
    pillow = package("PIL.Image", "images", "reading images")
    return picture.resize((width, height), getattr(pillow.Resampling, how.filter.upper()))


def _cropped(picture: Any, how: Preprocess, shown: str, at: Span | None) -> Any:
    if not how.crop:
        return picture
    high, wide = how.crop if len(how.crop) == 2 else how.crop * 2
    width, height = picture.size
    if width < wide or height < high:
        reason = f"is {height} x {width}, smaller than the crop of {high} x {wide}"
        raise unfit(shown, reason, at, "resize it first, or crop less")
    top, left = (height - high) // 2, (width - wide) // 2
    return picture.crop((left, top, left + wide, top + high))


def _planes(pixels: np.ndarray, how: Preprocess, shown: str, at: Span | None) -> np.ndarray:
    """uint8 [channels, height, width] in the order of `format`."""
    rgb = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
    match how.format:
        case "rgb":
            return rgb.numpy()
        case "bgr":
            return rgb.flip(0).numpy()
        case "gray":
            return colour.rgb2gray(rgb.float()).to(torch.uint8).numpy()
    yuv = colour.rgb2yuv(rgb.float(), how.swing)
    if how.format == "nv12":
        if yuv.shape[1] % 2 or yuv.shape[2] % 2:
            reason = f"is {yuv.shape[1]} x {yuv.shape[2]}, and NV12 needs even sizes"
            raise unfit(shown, reason, at, "crop it to even sizes")
        fours = yuv[1:].reshape(2, yuv.shape[1] // 2, 2, yuv.shape[2] // 2, 2)
        shared = ((fours.sum((2, 4)) + 2) / 4).floor()
        yuv[1:] = shared.repeat_interleave(2, 1).repeat_interleave(2, 2)
    return yuv.to(torch.uint8).numpy()


def _scaled(planes: np.ndarray, how: Preprocess, port: PortPlan) -> np.ndarray:
    plain = how.mean == (0.0,) and how.scale == (1.0,)
    if plain and port.dtype == "uint8":
        return planes
    mean, scale = (np.array(v, np.float32).reshape(-1, 1, 1) for v in (how.mean, how.scale))
    return (planes.astype(np.float32) - mean) * scale
