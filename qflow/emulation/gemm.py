"""What conv2d and linear compute alike: the accumulator, its bound, and what follows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import CLAMP, MOVED, Call, Constant, Fast, Range, form
from qflow.emulation.profile import Constants, Use, constants_of, saturate

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.carriers.products import Images

FLOAT32_BITS, FLOAT64_BITS = 24, 53
FIELDS = dict(CLAMP, **form(accumulator_bits="bits", residual="flag"))
WRITES = MOVED
"""Dtypes of the output: those of activations, and the accumulator's."""
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
    images: Images | None = None,
) -> Fast:
    """`multiply(x, weight, bias)` sums exactly as long as its dtype holds every partial sum.

    `images` says how int8 kernels, which know only convolutions of images, do the same.
    """
    from qflow.emulation.carriers import products

    return products.fast(call, ranges, device, view, multiply, images)


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
