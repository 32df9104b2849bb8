"""finish: from accumulators to outputs by the profile's exact rule, in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.gemm import reach, shaped
from qflow.emulation.op import BYTES, Call, Range
from qflow.emulation.profile import Constants, Limits
from qflow.emulation.runtimes import _one_pass
from qflow.emulation.runtimes._blocks import blockwise

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Finish:
    """What `gemm.finish` is to the oracle, for accumulators whose channels `view` tells."""

    call: Call
    ranges: Sequence[Range]
    """Of the operands, centred."""
    device: Any
    view: tuple[int, ...]

    def __call__(self, channels: np.ndarray | None, most: int) -> Callable[..., Tensor]:
        """For some channels or all, and the largest accumulator: from accumulators, which it may
        overwrite, and the centred residual, if there is one, to the output. Outputs of 8 bits come
        in their own dtype."""
        found = self.in_one_pass(channels, most)
        otherwise = blockwise(self._in_torch(channels, most))
        if found is None:
            return otherwise

        def run(*operands: Tensor) -> Tensor:
            result = found(*operands)
            return otherwise(*operands) if result is None else result

        return run

    def in_one_pass(
        self, channels: np.ndarray | None, most: int
    ) -> Callable[..., Tensor | None] | None:
        """The same compiled, None where that cannot be; it gives None for tensors that it does
        not take."""
        call, constants = self.call, self._constants(channels)
        if call.node.output.dtype not in BYTES:
            return None
        limits, _ = self._limits(most)
        bits = call.node.attributes["accumulator_bits"]
        held, _ = _saturation(bits, most)
        if call.node.attributes["residual"]:
            added = reach(self.ranges[-1])
            joined = _one_pass.join(call, constants, limits, added, bits, self.device)
            return None if joined is None else lambda acc, r: joined(held(acc), r)
        found = _one_pass.finish(call, constants, limits, self.device)
        return None if found is None else lambda acc: found(held(acc))

    def _in_torch(self, channels: np.ndarray | None, most: int) -> Callable[..., Tensor]:
        call, profile, device = self.call, self.call.profile, self.device
        constants = self._constants(channels)
        if call.node.output.dtype == "int32":
            return _kept(call, constants, most, self.ranges, device)
        bits, zero = call.node.attributes["accumulator_bits"], call.zero_point
        held, _ = _saturation(bits, most)
        limits, top = self._limits(most)
        if not call.node.attributes["residual"]:
            rescale = profile.fast_rescale(constants, limits, device)
            return _as_bytes(lambda acc: _moved(rescale(held(acc)), zero), call.node.output.dtype)
        added = Limits(reach(self.ranges[-1]), -top - 1, top)
        join = profile.fast_rescale_with_residual(constants, limits, added, bits, device)
        return _as_bytes(
            lambda acc, r: _moved(join(held(acc), r.float()), zero), call.node.output.dtype
        )

    def _constants(self, channels: np.ndarray | None) -> Constants:
        constants = self.call.constants
        if channels is not None:
            constants = {role: _some(array, channels) for role, array in constants.items()}
        return shaped(constants, self.view)

    def _limits(self, most: int) -> tuple[Limits, int]:
        """Of accumulators once they are saturated, and the greatest of those."""
        attributes, zero = self.call.node.attributes, self.call.zero_point
        top = (1 << (attributes["accumulator_bits"] - 1)) - 1
        low, high = attributes["low"] - zero, attributes["high"] - zero
        return Limits(min(most, top + 1), low, high), top


def _some(array: np.ndarray, channels: np.ndarray) -> np.ndarray:
    return array if len(array) == 1 else array[channels]


def _as_bytes(end: Callable[..., Tensor], dtype: str) -> Callable[..., Tensor]:
    import torch

    if dtype not in BYTES:
        return end
    narrow = getattr(torch, dtype)
    return lambda *operands: end(*operands).to(narrow)


def _kept(
    call: Call, constants: Constants, most: int, ranges: Sequence[Range], device: Any
) -> Callable[..., Tensor]:
    """Where the accumulator itself is the output."""
    import torch

    attributes, profile = call.node.attributes, call.profile
    held, top = _saturation(attributes["accumulator_bits"], most)
    highest = np.asarray(constants.get("high", attributes["high"])).astype(np.int64)
    high = torch.from_numpy(highest).to(device)
    low = torch.tensor(attributes["low"], device=device)
    if not attributes["residual"]:
        # a clamp that leaves out all that can occur gives its own end, which may need more bits
        beyond = attributes["low"] > most or highest.min() < -most

        def clamped(acc: Tensor) -> Tensor:
            wide = held(acc).double() if beyond else held(acc)
            return wide.clamp_(low.to(wide.dtype), high.to(wide.dtype))

        return clamped
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
