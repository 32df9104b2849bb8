"""What conv2d and linear compute alike: the accumulator, its bound, and what follows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import CLAMP, MOVED, Call, Constant, Fast, Range, form
from qflow.emulation.profile import Constants, Limits, Use, constants_of, saturate

if TYPE_CHECKING:
    from torch import Tensor

FLOAT32_BITS, FLOAT64_BITS = 24, 53
FIELDS = dict(CLAMP, **form(accumulator_bits="bits", residual="flag"))
WRITES = MOVED
"""Dtypes of the output: those of activations, and the accumulator's."""
BYTE = 255
HALVES = "float32 twice"
"""int16 inputs as two bytes: a float32 sum of each, joined in float64."""
View = tuple[int, ...]
"""Shape that makes a per-channel array broadcast against the accumulator: (1, -1, 1, 1)."""


def bound(weight: np.ndarray, bias: np.ndarray, reach: int) -> int:
    """Largest magnitude of any partial sum on inputs of magnitude `reach`."""
    taps = np.abs(weight.astype(np.int64)).reshape(weight.shape[0], -1).sum(1)
    return int((taps * reach + np.abs(bias.astype(np.int64))).max())


def finish(call: Call, acc: np.ndarray, residual: np.ndarray | None, view: View) -> np.ndarray:
    """From the accumulator, int64, to the output: residual, rescale, zero point, clamp."""
    attributes, profile = call.node.attributes, call.profile
    constants = shaped(call.constants, view)
    bits = attributes["accumulator_bits"]
    acc = saturate(acc, bits)
    if residual is not None:
        residual = call.centred(len(call.sources) - 1, residual)
    if call.node.output.dtype == "int32":
        if residual is not None:
            acc = saturate(acc + profile.to_accumulator(residual, constants), bits)
        return np.clip(acc, attributes["low"], constants.get("high", attributes["high"]))
    if residual is None:
        rescaled = profile.rescale(acc, constants)
    else:
        rescaled = profile.rescale_with_residual(acc, residual, constants, bits)
    return np.clip(rescaled + call.zero_point, attributes["low"], attributes["high"])


def fast(
    call: Call,
    ranges: Sequence[Range],
    device: Any,
    view: View,
    multiply: Callable[[Tensor, Tensor, Tensor | None], Tensor],
) -> Fast:
    """`multiply(x, weight, bias)` sums exactly as long as its dtype holds every partial sum."""
    constants = shaped(call.constants, view)
    weight, bias = call.constants["weight"], call.constants["bias"]
    from qflow.emulation.runtimes._blocks import blockwise

    ranges = centred_ranges(call, ranges)
    most = bound(weight, bias, reach(ranges[0]))
    carrier = carrier_for(most, device)
    if carrier == "float64" and carrier_for(bound(weight, bias, BYTE), device) == "float32":
        carrier = HALVES
    accumulate = _accumulate(weight, bias, carrier, device, view, multiply)
    end = blockwise(_fast_finish(call, constants, most, ranges, device))
    zeros = [call.zero(i) for i in range(len(call.sources))]
    if not any(zeros):
        return Fast(lambda x, *residual: end(accumulate(x), *residual), carrier, most)

    def run(*operands: Tensor) -> Tensor:
        x, *residual = (t.to(_wide(t)) - z for t, z in zip(operands, zeros, strict=True))
        return end(accumulate(x), *residual)

    return Fast(run, carrier, most)


def carrier_for(most: int, device: Any) -> str:
    """The narrowest dtype whose sums of magnitude `most` are exact.

    Away from the CPU float32 products may be made in a narrower format, so float64 is used there.
    """
    if most < 1 << FLOAT32_BITS and device.type == "cpu":
        return "float32"
    return "float64" if most < 1 << FLOAT64_BITS else "int64"


def centred_ranges(call: Call, ranges: Sequence[Range]) -> list[Range]:
    """The operands' ranges without their zero points."""
    return [(low - call.zero(i), high - call.zero(i)) for i, (low, high) in enumerate(ranges)]


def reach(values: Range) -> int:
    """Largest magnitude in a range."""
    return max(abs(values[0]), abs(values[1]))


def values(call: Call, ranges: Sequence[Range]) -> Range:
    """Range of the output: its clamp, and of a kept accumulator what its weights allow."""
    attributes = call.node.attributes
    low, high = attributes["low"], attributes["high"]
    if call.node.output.dtype != "int32":
        return low, high
    ranges = centred_ranges(call, ranges)
    most = bound(call.constants["weight"], call.constants["bias"], reach(ranges[0]))
    if attributes["residual"]:
        most += call.profile.residual_bound(call.constants, reach(ranges[-1]))
    return max(-most, low), min(most, high)


def roles(call: Call) -> dict[str, Constant]:
    """Weight, bias, and what the profile needs per channel."""
    weight = call.constants["weight"]
    channels = ((weight.shape[0],),)
    found = {
        "weight": Constant(("int8", "int16"), (weight.shape,)),
        "bias": Constant(("int32",), channels),
        "weight_scale": Constant(("float32",), channels),
    }
    either = (*channels, (1,))
    if call.node.output.dtype != "int32":
        use: Use = "residual" if call.node.attributes["residual"] else "rescale"
        return found | constants_of(call.profile, use, either)
    if call.node.attributes["residual"]:
        found |= constants_of(call.profile, "kept_residual", either)
    if "high" in call.constants:
        found["high"] = Constant(("int32",), channels)
    return found


def shaped(constants: Constants, view: View) -> dict[str, np.ndarray]:
    """Per-channel constants, ready to broadcast; the weight and bias keep their shape."""
    return {
        role: array if role in ("weight", "bias") else array.reshape(view)
        for role, array in constants.items()
    }


def _fast_finish(
    call: Call, constants: Constants, most: int, ranges: Sequence[Range], device: Any
) -> Callable[..., Tensor]:
    import torch

    attributes, profile = call.node.attributes, call.profile
    bits = attributes["accumulator_bits"]
    top = (1 << (bits - 1)) - 1
    overflows = most > top
    zero = call.zero_point
    limits = Limits(min(most, top + 1), attributes["low"] - zero, attributes["high"] - zero)
    added = Limits(reach(ranges[-1]), -top - 1, top) if attributes["residual"] else None

    def held(acc: Tensor) -> Tensor:
        return acc.clamp_(-top - 1, top) if overflows else acc

    if call.node.output.dtype != "int32":
        if added is None:
            rescale = profile.fast_rescale(constants, limits, device)
            return lambda acc: _moved(rescale(held(acc)), zero)
        join = profile.fast_rescale_with_residual(constants, limits, added, bits, device)
        return lambda acc, r: _moved(join(held(acc), r), zero)

    high = torch.from_numpy(np.asarray(constants.get("high", attributes["high"])).astype(np.int64))
    high = high.to(device)
    low = torch.tensor(attributes["low"], device=device)
    if added is None:
        return lambda acc: held(acc).clamp_(low.to(acc.dtype), high.to(acc.dtype))
    # the sum saturates, not the residual before it
    most_added = profile.residual_bound(call.constants, added.bound)
    addend = Limits(added.bound, -most_added, most_added)
    bring = profile.fast_to_accumulator(constants, addend, device)

    def keep(acc: Tensor, r: Tensor) -> Tensor:
        total = (held(acc).double() + bring(r)).clamp_(-top - 1, top)
        return total.clamp_(low.to(total.dtype), high.to(total.dtype))

    return keep


def _moved(values: Tensor, zero: int) -> Tensor:
    return values.add_(zero) if zero else values


def _wide(values: Tensor) -> Any:
    """A dtype in which a zero point can be taken from the values."""
    import torch

    return values.dtype if values.is_floating_point() else torch.float32


def _accumulate(
    weight: np.ndarray,
    bias: np.ndarray,
    carrier: str,
    device: Any,
    view: View,
    multiply: Callable[[Tensor, Tensor, Tensor | None], Tensor],
) -> Callable[[Tensor], Tensor]:
    import torch

    offset = torch.from_numpy(bias.astype(np.int64)).to(device)
    whole = torch.from_numpy(weight.astype(np.int64)).to(device)
    if carrier == HALVES:
        return _in_halves(whole.float(), offset.float(), multiply)
    if carrier != "int64":
        dtype = getattr(torch, carrier)
        taps, start = whole.to(dtype), offset.to(dtype)
        return lambda x: multiply(x.to(dtype), taps, start)

    # two sums of half the width, each exact in float64, joined as integers
    upper, lower = (whole >> 8).double(), (whole & 255).double()
    shaped_offset = offset.reshape(view)

    def split(x: Tensor) -> Tensor:
        wide = x.double()
        high, low = multiply(wide, upper, None).long(), multiply(wide, lower, None).long()
        return (high << 8) + low + shaped_offset

    return split


def _in_halves(
    weight: Tensor, bias: Tensor, multiply: Callable[[Tensor, Tensor, Tensor | None], Tensor]
) -> Callable[[Tensor], Tensor]:
    from qflow.emulation.runtimes._blocks import blockwise

    def join(high: Tensor, low: Tensor) -> Tensor:
        return high.double().mul_(256).add_(low)

    def split(x: Tensor) -> Tensor:
        high = (x * (1 / 256)).floor_()  # exact: 24 bits hold the value and its half
        low = x - high * 256
        return blockwise(join)(multiply(high, weight, None), multiply(low, weight, bias))

    return split
