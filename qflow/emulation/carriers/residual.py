"""residual: a tensor of 8 bits brought onto an accumulator, added and rescaled in float32.

The residual has at most 256 values, so a float32 product and sum that rounds to what the exact rule
gives for each of them is proved by trying them all. What follows is one rescale of the sum, proved
at its levels (see `affine`). Channels without a proof are computed by the exact rule instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.carriers.affine import CANDIDATES, Affine, affine, fused, separate
from qflow.emulation.carriers.channels import put, take
from qflow.emulation.carriers.levels import Levels
from qflow.emulation.gemm import shaped
from qflow.emulation.op import Call, Range
from qflow.emulation.profile import Limits

if TYPE_CHECKING:
    from torch import Tensor

    Exactly = Callable[[np.ndarray], Callable[..., Tensor]]

VIEW = (1, -1, 1, 1)
"""Channels of an image batch."""
FAR = 1 << 24
"""A value whose image tells the ratio to more than 24 bits."""
MOST_VALUES = 256
MOST_AGAIN = 0.15
"""Part of the channels that may take the exact rule behind the cheap one."""
LAST_PLACE = 0.2
"""Offsets to try, in last places of the largest float32 that is rounded."""


def join(
    call: Call, constants: dict[str, np.ndarray], values: Range, steps: Levels, exactly: Exactly
) -> Callable[[Tensor, Tensor], Tensor] | None:
    """Accumulators [N, C, H, W], float32, and the centred residual to outputs of 8 bits.

    `constants` are columns, `steps` those of the sum of both, `exactly` is the exact rule of some
    channels. None where too many would need it.
    """
    channels = len(steps.low)
    if values[1] - values[0] >= MOST_VALUES:
        return None
    brought = _brought(call, constants, values, channels)
    ended = affine(steps, np.zeros(channels, np.int64))
    again = np.flatnonzero(~(brought.proved & ended.proved))
    if len(again) > MOST_AGAIN * channels:
        return _run(call, brought, _exact_end(call, steps)) if brought.proved.all() else None
    run = _run(call, brought, _end(call, ended))
    return _but(run, again, exactly(again)) if again.size else run


def _but(
    run: Callable[[Tensor, Tensor], Tensor], again: np.ndarray, end: Callable[..., Tensor]
) -> Callable[[Tensor, Tensor], Tensor]:
    import torch

    places = torch.from_numpy(again)

    def both(acc: Tensor, residual: Tensor) -> Tensor:
        result = run(acc, residual)
        put(result, places, end(take(acc, places), take(residual, places)))
        return result

    return both


def _brought(call: Call, constants: dict[str, np.ndarray], values: Range, channels: int) -> Affine:
    """float32 constants whose rounded result is `Profile.to_accumulator` of each value."""
    numbers = np.arange(values[0], values[1] + 1)[None]
    exact = np.broadcast_to(
        call.profile.to_accumulator(numbers, constants), (channels, numbers.size)
    )
    far = call.profile.to_accumulator(np.array([[FAR]]), constants) / FAR
    nearest = np.broadcast_to(far[:, 0], (channels,)).astype(np.float32)
    last = np.spacing(np.abs(exact).max(1).astype(np.float32))
    scale, offset = np.zeros(channels, np.float32), np.zeros(channels, np.float32)
    proved = np.zeros(channels, bool)
    for step, nudge in CANDIDATES:
        left = np.flatnonzero(~proved)
        if not left.size:
            break
        tried = (nearest[left] + step * np.spacing(nearest[left])).astype(np.float32)
        rest = exact[left] - tried[:, None].astype(np.float64) * numbers
        middle = (rest.max(1) + rest.min(1)) / 2 + nudge * LAST_PLACE * last[left]
        given = middle.astype(np.float32)
        one, other = (np.rint(f(numbers, tried, given)) == exact[left] for f in (separate, fused))
        fits = one.all(1) & other.all(1)
        found = left[fits]
        scale[found], offset[found], proved[found] = tried[fits], given[fits], True
    return Affine(scale, offset, proved)


def _run(
    call: Call, brought: Affine, end: Callable[[Tensor], Tensor]
) -> Callable[[Tensor, Tensor], Tensor]:
    import torch

    ratio, start = (torch.from_numpy(a.reshape(VIEW)) for a in (brought.scale, brought.offset))
    dtype = getattr(torch, call.node.output.dtype)

    def run(acc: Tensor, residual: Tensor) -> Tensor:
        return end(torch.addcmul(start, residual.float(), ratio).round_().add_(acc)).to(dtype)

    return run


def _end(call: Call, ended: Affine) -> Callable[[Tensor], Tensor]:
    """The sum to the output, in float32."""
    import torch

    scale, offset = (torch.from_numpy(a.reshape(VIEW)) for a in (ended.scale, ended.offset))
    low, high = call.node.attributes["low"], call.node.attributes["high"]
    return lambda total: torch.addcmul(offset, total, scale).round_().clamp_(low, high)


def _exact_end(call: Call, steps: Levels) -> Callable[[Tensor], Tensor]:
    """The same by the profile's rule."""
    import torch

    zero, bits = call.zero_point, call.node.attributes["accumulator_bits"]
    low, high = (call.node.attributes[name] - zero for name in ("low", "high"))
    top = (1 << (bits - 1)) - 1
    most = int(max(-steps.low.min(), steps.high.max()))
    limits = Limits(min(most, top + 1), low, high)
    constants = shaped(call.constants, VIEW)
    rescale = call.profile.fast_rescale(constants, limits, torch.device("cpu"))

    def end(total: Tensor) -> Tensor:
        found = rescale(total.clamp_(-top - 1, top) if most > top else total)
        return found.add_(zero) if zero else found

    return end
