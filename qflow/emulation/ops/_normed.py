"""Layer norm of 8 bits by float32 estimates, and the exact rule where they are near a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import BYTES

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.op import Call


def fast(
    call: Call, slope_and_middle: Callable[[Tensor], tuple[Tensor, Tensor]], device: Any
) -> Callable[[Tensor], Tensor] | None:
    """The fast path where z = floor(x slope - middle) and y = floor(z gain + start), in 8 bits.

    The estimate is y = (x - mean) slope gain + start. What it errs by: the distance to the mean,
    which is 256 at most, by four roundings of it; z by half of 2^-20 beside; the product with gain
    and the sums by eight roundings of what is at most `BEYOND` and the largest start.
    """
    import torch

    from qflow.emulation.runtimes._settled import BEYOND, UNIT, by_rows, settle

    a, source, output = call.node.attributes, call.sources[0], call.node.output
    if device.type != "cpu" or source.dtype not in BYTES or output.dtype not in BYTES:
        return None
    shift, dtype = int(call.constants["shift"][0]), getattr(torch, output.dtype)
    scaled = torch.from_numpy(call.constants["gain"]).double() * 2.0**-shift
    start = torch.from_numpy(call.constants["offset"]).double() * 2.0**-shift + call.zero_point
    gain, offset = scaled.float(), start.float()
    largest = float(scaled.abs().max())
    per_slope = largest * 4 * BEYOND * UNIT
    rest = largest * 0.5 + 8 * UNIT * (BEYOND + float(start.abs().max()))

    low, high = a["low"], a["high"]

    def estimated(
        x: Tensor, doubtful: Tensor, mean: Tensor, steep: Tensor, *exact: Tensor
    ) -> Tensor:
        apart = x.to(torch.float32, copy=True).sub_(mean).mul_(steep)
        estimate = torch.addcmul(offset, apart, gain)
        margin = steep * per_slope + rest
        return settle(estimate, 0.0, margin, low, high, doubtful).to(dtype)

    def exactly(x: Tensor, mean: Tensor, steep: Tensor, slope: Tensor, middle: Tensor) -> Tensor:
        normal = x.double().mul_(slope).sub_(middle).floor_()
        return normal.mul_(scaled).add_(start).floor_().clamp_(low, high).to(dtype)

    whole = by_rows(estimated, exactly)

    def run(x: Tensor) -> Tensor:
        slope, middle = slope_and_middle(x)
        mean = (middle + 0.5) / slope
        return whole(x, mean.float(), slope.float(), slope, middle)

    return run
