"""finish: from accumulators to outputs by the profile's exact rule, in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.gemm import reach, shaped
from qflow.emulation.op import BYTES, Call, Range
from qflow.emulation.profile import Constants, Limits

if TYPE_CHECKING:
    from torch import Tensor

    Finish = Callable[[np.ndarray | None, int], Callable[..., Tensor]]
    """For some channels or all, and the largest accumulator: accumulators, which it may overwrite,
    and the residual, if there is one, to the output."""


def finish_of(call: Call, ranges: Sequence[Range], device: Any, view: tuple[int, ...]) -> Finish:
    """What `gemm.finish` is to the oracle. `ranges` are those of the operands, centred; outputs of
    8 bits come in their own dtype."""

    def finish(channels: np.ndarray | None, most: int) -> Callable[..., Tensor]:
        constants = call.constants
        if channels is not None:
            constants = {role: _some(array, channels) for role, array in constants.items()}
        end = _finish(call, shaped(constants, view), most, ranges, device)
        return _as_bytes(end, call.node.output.dtype)

    return finish


def _some(array: np.ndarray, channels: np.ndarray) -> np.ndarray:
    return array if len(array) == 1 else array[channels]


def _as_bytes(end: Callable[..., Tensor], dtype: str) -> Callable[..., Tensor]:
    import torch

    if dtype not in BYTES:
        return end
    narrow = getattr(torch, dtype)
    return lambda *operands: end(*operands).to(narrow)


def _finish(
    call: Call, constants: Constants, most: int, ranges: Sequence[Range], device: Any
) -> Callable[..., Tensor]:
    attributes, profile = call.node.attributes, call.profile
    if call.node.output.dtype == "int32":
        return _kept(call, constants, most, ranges, device)
    bits, zero = attributes["accumulator_bits"], call.zero_point
    held, top = _saturation(bits, most)
    limits = Limits(min(most, top + 1), attributes["low"] - zero, attributes["high"] - zero)
    if not attributes["residual"]:
        rescale = profile.fast_rescale(constants, limits, device)
        return lambda acc: _moved(rescale(held(acc)), zero)
    added = Limits(reach(ranges[-1]), -top - 1, top)
    join = profile.fast_rescale_with_residual(constants, limits, added, bits, device)
    return lambda acc, r: _moved(join(held(acc), r.float()), zero)


def _kept(
    call: Call, constants: Constants, most: int, ranges: Sequence[Range], device: Any
) -> Callable[..., Tensor]:
    """Where the accumulator itself is the output."""
    import torch

    attributes, profile = call.node.attributes, call.profile
    held, top = _saturation(attributes["accumulator_bits"], most)
    high = torch.from_numpy(np.asarray(constants.get("high", attributes["high"])).astype(np.int64))
    high = high.to(device)
    low = torch.tensor(attributes["low"], device=device)
    if not attributes["residual"]:
        return lambda acc: held(acc).clamp_(low.to(acc.dtype), high.to(acc.dtype))
    # the sum saturates, not the residual before it
    largest = reach(ranges[-1])
    most_added = profile.residual_bound(call.constants, largest)
    bring = profile.fast_to_accumulator(constants, Limits(largest, -most_added, most_added), device)

    def keep(acc: Tensor, r: Tensor) -> Tensor:
        total = (held(acc).double() + bring(r.float())).clamp_(-top - 1, top)
        return total.clamp_(low.to(total.dtype), high.to(total.dtype))

    return keep


def _saturation(bits: int, most: int) -> tuple[Callable[[Tensor], Tensor], int]:
    """What an accumulator of so many bits does to sums up to `most`, and its greatest value."""
    top = (1 << (bits - 1)) - 1
    if most <= top:
        return lambda acc: acc, top
    return lambda acc: acc.clamp_(-top - 1, top), top


def _moved(values: Tensor, zero: int) -> Tensor:
    return values.add_(zero) if zero else values
