"""A rescale to 8 bits in one compiled pass, where the profile's rule is a line in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow import loops
from qflow.emulation.op import BYTES, Call
from qflow.emulation.profile import Constants, Limits

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from qflow.loops.finish import Grid

IMAGE = 4
"""Axes of an image batch, whose channels may lie last in memory."""
CHANNELS = -3
"""Axis of an image batch, from the last."""


def finish(
    call: Call, constants: Constants, limits: Limits, device: Any
) -> Callable[[Tensor], Tensor | None] | None:
    """Integers within `limits`, which are without the zero point, to outputs in their own dtype.

    None where there is no such pass; it gives None for tensors that it does not take.
    """
    if not _is_possible(call, limits, device):
        return None
    line = call.profile.line("", constants, limits)
    if line is None:
        return None
    import torch

    from qflow.loops import finish as loop

    grid, axis = _grid(call, limits), _axis(line.factor)
    flat = line.of(line.factor.size)

    def run(values: Tensor) -> Tensor | None:
        if values.dtype != torch.float32 or not _last(values, axis):
            return None
        return loop.finish(values, flat, grid)

    return run


def join(
    call: Call, constants: Constants, limits: Limits, added: int, bits: int, device: Any
) -> Callable[[Tensor, Tensor], Tensor | None] | None:
    """As `finish` of accumulators of so many bits, and a residual of magnitude `added` at most."""
    profile, top = call.profile, (1 << (bits - 1)) - 1
    if not profile.adds_in_accumulator or not _is_possible(call, limits, device):
        return None
    reach = profile.residual_bound(constants, added)
    bring = profile.line("residual_", constants, Limits(added, -reach, reach))
    whole = Limits(min(limits.bound + reach, top + 1), limits.low, limits.high)
    line = profile.line("", constants, whole)
    if bring is None or line is None:
        return None
    import torch

    from qflow.loops import finish as loop

    grid = _grid(call, limits)
    axis = _axis(bring.factor if line.factor.size == 1 else line.factor)
    narrow = (torch.int8, torch.uint8)

    def run(acc: Tensor, residual: Tensor) -> Tensor | None:
        width = _last(acc, axis)
        fits = acc.dtype == torch.float32 and residual.dtype in narrow
        if not (width and fits and residual.shape == acc.shape and _last(residual, axis) == width):
            return None
        return loop.join(acc, residual, bring.of(width), top, line.of(width), grid)

    return run


def _is_possible(call: Call, limits: Limits, device: Any) -> bool:
    if not loops.is_there(device) or call.node.output.dtype not in BYTES:
        return False
    dtype, zero = np.iinfo(call.node.output.dtype), call.zero_point
    return bool(dtype.min <= limits.low + zero and limits.high + zero <= dtype.max)


def _grid(call: Call, limits: Limits) -> Grid:
    import torch

    from qflow.loops.finish import Grid

    dtype: torch.dtype = getattr(torch, call.node.output.dtype)
    return Grid(limits.low, limits.high, call.zero_point, dtype)


def _axis(constants: np.ndarray) -> int | None:
    """The axis, from the last, along which constants differ."""
    return None if constants.size == 1 else int(np.argmax(constants.shape)) - constants.ndim


def _last(values: Tensor, axis: int | None) -> int:
    """Size of the axis that lies last in memory; 0 where values do not lie densely, or another
    axis than `axis` does."""
    import torch

    if axis in (None, -1) and values.is_contiguous():
        return values.shape[-1] if values.ndim else 1
    if values.ndim != IMAGE or axis not in (None, CHANNELS):
        return 0
    return values.shape[1] if values.is_contiguous(memory_format=torch.channels_last) else 0
