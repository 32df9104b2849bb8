"""functional: the field's functions on tensors; colour conversions live in files of their own.

Names load on first use: each file of this folder brings the functions it lists in `__all__`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "argmax": "reductions",
    "bgr2centered_gray": "colour",
    "bgr2centered_yuv": "colour",
    "bgr2gray": "colour",
    "bgr2rgb": "colour",
    "bgr2yuv": "colour",
    "centered_yuv2bgr": "colour_back",
    "centered_yuv2rgb": "colour_back",
    "rgb2bgr": "colour",
    "rgb2centered_gray": "colour",
    "rgb2centered_yuv": "colour",
    "rgb2gray": "colour",
    "rgb2yuv": "colour",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted((*globals(), *_HOME))
