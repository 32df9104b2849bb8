"""products: a convolution or linear layer in torch, on the cheapest carrier that is exact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qflow.emulation import gemm
from qflow.emulation.carriers.finish import Finish
from qflow.emulation.carriers.int8 import int8
from qflow.emulation.carriers.int_mm import int_mm, is_chosen
from qflow.emulation.carriers.onednn import Geometry
from qflow.emulation.carriers.sums import HALVES, sums
from qflow.emulation.op import Call, Fast, Range

if TYPE_CHECKING:
    from torch import Tensor

BYTE = 255
WHY = {
    "float32": "every partial sum is below 2^{narrow}",
    HALVES: "sums of the bytes are below 2^{narrow}, whole ones are not",
    "float64": "partial sums reach 2^{narrow} or float32 is not exact here; below 2^{wide}",
    "int64": "partial sums reach 2^{wide}",
}


@dataclass(frozen=True)
class Images:
    """How a layer is a convolution of images."""

    geometry: Geometry
    bring: Callable[[Tensor], Tensor]
    """An operand, centred, as images [N, C, H, W], padded where `geometry` does not do it."""
    add: Callable[[Tensor], Tensor]
    """A residual, centred, in the shape of the result."""
    back: Callable[[Tensor, Tensor], Tensor]
    """The result, and the operand it came from, as the layer's output."""


def fast(
    call: Call,
    ranges: Sequence[Range],
    device: Any,
    view: tuple[int, ...],
    multiply: Callable[[Tensor, Tensor, Tensor | None], Tensor],
    images: Images | None,
) -> Fast:
    """See `gemm.fast`. `ranges` are those of the operands as they come."""
    ranges = gemm.centred_ranges(call, ranges)
    found = None if images is None else _narrow(call, ranges, device, images)
    if found is None:
        found = _wide(call, ranges, device, view, multiply)
    zeros = [call.zero(i) for i in range(len(call.sources))]
    if not any(zeros):
        return found
    run = found.run

    def without_zeros(*operands: Tensor) -> Tensor:
        return run(*(centred(t, z) for t, z in zip(operands, zeros, strict=True)))

    return replace(found, run=without_zeros)


def centred(values: Tensor, zero: int) -> Tensor:
    """A tensor without its zero point, in a dtype that holds the difference."""
    import torch

    if zero == 0:
        return values
    wide = {torch.int8: torch.int16, torch.uint8: torch.int16, torch.int16: torch.int32}
    return values.to(wide.get(values.dtype, values.dtype)) - zero


def _narrow(call: Call, ranges: Sequence[Range], device: Any, images: Images) -> Fast | None:
    ends = Finish(call, ranges, device, (1, -1, 1, 1))
    on_gpu = is_chosen(device.type, call.constants["weight"].dtype.name, images.geometry.groups)
    found = (int_mm if on_gpu else int8)(call, ranges, device, images.geometry, ends)
    if found is None:
        return None
    run = found.run

    def on_images(x: Tensor, *added: Tensor) -> Tensor:
        shaped = (images.bring(x), *(images.add(a) for a in added))
        return images.back(run(*shaped), x)

    return replace(found, run=on_images)


def _wide(
    call: Call,
    ranges: Sequence[Range],
    device: Any,
    view: tuple[int, ...],
    multiply: Callable[[Tensor, Tensor, Tensor | None], Tensor],
) -> Fast:
    weight, bias = call.constants["weight"], call.constants["bias"]
    most = gemm.bound(weight, bias, gemm.reach(ranges[0]))
    carrier = gemm.carrier_for(most, device)
    of_bytes = gemm.bound(weight, bias, BYTE)
    if carrier == "float64" and gemm.carrier_for(of_bytes, device) == "float32":
        carrier = HALVES
    accumulate = sums(weight, bias, carrier, device, view, multiply)
    end = Finish(call, ranges, device, view)(None, most)
    why = WHY[carrier].format(narrow=gemm.FLOAT32_BITS, wide=gemm.FLOAT64_BITS)
    return Fast(lambda x, *residual: end(accumulate(x), *residual), carrier, most, why)
