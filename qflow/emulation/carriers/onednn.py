"""onednn: int8 convolutions of oneDNN, for operands and weights whose products they add exactly.

Without VNNI instructions these kernels add two products of a uint8 and an int8 in 16 bits, which
saturate; `holds` says when no pair of them can. Behind the sums they compute in float32
`clamp(float32(acc) * scale[c] + offset[c])`, and, into int8 or uint8, round half to even: that is
`carriers.affine`, and with scale 1 the accumulator itself. A linear layer runs as a convolution of
1 by 1 over its rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.carriers.pairs import PAIR

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Geometry:
    """Of a convolution whose padding is the same on opposite sides, and holds the zero point."""

    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    zero: int = 0
    """Zero point of the operand: the kernel takes it from every value."""


@dataclass(frozen=True)
class Clamp:
    """The integers a kernel writes, and what it clamps them to."""

    dtype: str
    """int8 or uint8."""
    low: int
    high: int


Kernel = Callable[["Tensor"], "Tensor"]
"""uint8 [N, C, H, W], channels last in memory, to the output in the same order."""


def holds(weight: np.ndarray, largest: int) -> bool:
    """Whether products with operands of 0 to `largest` are added exactly on this machine."""
    if has_wide_sums():
        return True
    taps = np.sort(weight.reshape(len(weight), -1).astype(np.int64), axis=1)
    # any two taps of one sign might meet in a pair, whatever the order a kernel takes them in; but
    # a depthwise one has no second channel to pair with
    count = 1 if weight.shape[1] == 1 else 2
    top, bottom = np.maximum(taps[:, -count:], 0).sum(1), np.minimum(taps[:, :count], 0).sum(1)
    return bool(top.max() * largest <= PAIR and -bottom.min() * largest <= PAIR + 1)


def has_wide_sums() -> bool:
    """Whether four products are added straight into 32 bits."""
    import torch

    return bool(torch.cpu._is_vnni_supported() or torch.cpu._is_amx_tile_supported())


def is_there() -> bool:
    """Whether this build of torch has the kernels, and they do what is said of them."""
    import torch

    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.onednn, "qconv2d_pointwise")


def convolution(
    weight: np.ndarray,
    scale: np.ndarray,
    offset: np.ndarray,
    geometry: Geometry,
    clamp: Clamp | None,
) -> Kernel:
    """A kernel for weights int8 [out, in / groups, rows, columns]; float32 output without `clamp`.

    `scale` and `offset`: float32 [out].
    """
    import torch

    if _picks(weight, geometry):
        kernel = convolution(weight, scale, offset, replace(geometry, stride=(1, 1)), clamp)
        rows, columns = geometry.stride
        return lambda x: kernel(_channels_last(x[:, :, ::rows, ::columns]))
    g = geometry
    lists = (list(g.stride), list(g.padding), list(g.dilation))
    factors, addends = torch.from_numpy(scale), torch.from_numpy(offset)
    zeros = torch.zeros(len(scale), dtype=torch.int32)
    packed = torch.ops.onednn.qconv_prepack(
        torch.from_numpy(np.ascontiguousarray(weight)), factors, 1.0, g.zero, *lists, g.groups, None
    )
    dtype = torch.float32 if clamp is None else getattr(torch, clamp.dtype)
    name, limits = _post_operation(clamp)
    run = torch.ops.onednn.qconv2d_pointwise.default
    end = (*lists, g.groups, 1.0, 0, dtype, name, limits, "")

    def kernel(x: Tensor) -> Tensor:
        found: Tensor = run(x, 1.0, g.zero, packed, factors, zeros, addends, *end)
        return found

    return kernel


def _picks(weight: np.ndarray, geometry: Geometry) -> bool:
    """Whether a layer of 1 by 1 skips places of its operand.

    oneDNN picks them into a scratch space that its threads overwrite for one another (seen with
    AVX2, 2 threads, torch 2.13): some sums are then those of another image. We pick them here.
    """
    return weight.shape[2:] == (1, 1) and geometry.padding == (0, 0) and geometry.stride != (1, 1)


def _channels_last(x: Tensor) -> Tensor:
    import torch

    return x.contiguous(memory_format=torch.channels_last)


def _post_operation(clamp: Clamp | None) -> tuple[str, list[float]]:
    """What the kernel does before it rounds and saturates to its dtype."""
    if clamp is None:
        return "none", []
    dtype = np.iinfo(clamp.dtype)
    if clamp.high == dtype.max and clamp.low == dtype.min:
        return "none", []
    if clamp.high == dtype.max and clamp.low == 0:
        return "relu", []
    return "hardtanh", [float(clamp.low), float(clamp.high)]
