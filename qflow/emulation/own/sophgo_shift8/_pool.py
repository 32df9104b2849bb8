"""Average pools of BM1684: the sum times the reciprocal of the window's size, in 8 bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.op import Call, Constant, Op, Range, Unsupported, form
from qflow.emulation.sophgo import border, shift8
from qflow.emulation.sophgo.reading import integers, limits
from qflow.emulation.sophgo.rescale import fast_shift, multiplier_and_shift
from qflow.emulation.sophgo.rounding import round_away, shift_right

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

FIELDS = form(
    kernel="pair",
    stride="pair",
    padding="padding",
    skips_padding="flag",
    low="integer",
    high="integer",
)
LARGEST_WINDOW = 225
"""More taps have no reciprocal that the compiler finds."""
LOW_BITS = 0xFF
"""What the chip keeps of the factor that corrects a border."""


def emit(
    node: PreparedNode,
    build: Builder,
    shape: tuple[int, ...],
    taps: int,
    attributes: Mapping[str, Any],
) -> None:
    """A node of `node.op` that divides by `taps`. Raises Unsupported."""
    if taps > LARGEST_WINDOW:
        raise Unsupported(f"a mean of {taps} values: at most {LARGEST_WINDOW} on BM1684")
    multiplier, shift = shift8.reciprocal(taps)
    output = build.output_type(node, shape)
    constants = {"multiplier": integers(multiplier), "shift": integers(shift)}
    settings = {**attributes, **limits(node, output)}
    build.emit(node, node.op, node.inputs, output, settings, constants)


class Pool(Op):
    """What stands before the general class of an average pool."""

    integer = True
    corrects: ClassVar[bool] = True
    """The chip's border: corrected axis by axis. Else the interpreter's, by the number of taps."""

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return multiplier_and_shift()

    def average(self, call: Call, total: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """From sums of windows of an image of that shape, int64, to the output."""
        a = call.node.attributes
        multiplier, shift = (call.constants[k].astype(np.int64) for k in ("multiplier", "shift"))
        if not a.get("skips_padding", False):
            return np.clip(shift_right(total * multiplier, shift), a["low"], a["high"])
        if not self.corrects:
            total = round_away(border.mean_of_valid(total, shape, a)).astype(np.int64)
            return np.clip(shift_right(total * multiplier, shift), a["low"], a["high"])
        values = np.clip(shift_right(total * multiplier, shift), a["low"], a["high"])
        for axis in (0, 1):
            factor, places = corrections(border.valid(shape[2 + axis], a, axis), a["kernel"][axis])
            along = (1, 1, -1, 1) if axis == 0 else (1, 1, 1, -1)
            moved = shift_right(values * factor.reshape(along), places.reshape(along))
            values = np.clip(moved, a["low"], a["high"])
        return values

    def fast_average(self, call: Call, bound: int, shape: tuple[int, ...], device: Any) -> _Unary:
        """The same in torch, of float sums up to `bound`."""
        import torch

        a = call.node.attributes
        multiplier = int(call.constants["multiplier"][0])
        skips = a.get("skips_padding", False)
        # what stands for the padding may make a border's sum as large as the whole window's
        rounded = fast_shift(call.constants["shift"], 2 * bound * multiplier, "half_up", device)

        def whole(total: Tensor) -> Tensor:
            return rounded(total.double() * multiplier).clamp_(a["low"], a["high"]).float()

        if not skips:
            return whole
        counts = [border.valid(shape[2 + axis], a, axis) for axis in (0, 1)]
        if not self.corrects:
            taps = torch.from_numpy(np.outer(*counts).astype(np.float32)).to(device)
            rows, columns = map(float, a["kernel"])

            def refilled(total: Tensor) -> Tensor:
                mean = total.float() / taps
                scaled = (mean * rows).mul_(columns).double()
                return whole(torch.copysign(scaled.abs().add_(0.5).floor_(), scaled))

            return refilled
        steps = []
        for axis, along in ((0, (-1, 1)), (1, (-1,))):
            factor, places = corrections(counts[axis], a["kernel"][axis])
            moved = fast_shift(places.reshape(along), 1 << 17, "half_up", device)
            held = torch.from_numpy(factor.reshape(along).astype(np.float32)).to(device)
            steps.append((held, moved))

        def corrected(total: Tensor) -> Tensor:
            values = whole(total)
            for held, moved in steps:
                values = moved(values * held).clamp_(a["low"], a["high"]).float()
            return values

        return corrected


def corrections(valid: np.ndarray, kernel: int) -> tuple[np.ndarray, np.ndarray]:
    """Factor and shift per window of one axis: kernel / valid, 1 where every tap is valid.

    The chip keeps 8 bits of the factor, which is wrong for 5 of 3, 7 of 6 and others.
    """
    factor, shift = np.ones(len(valid), np.int64), np.zeros(len(valid), np.int64)
    for i, count in enumerate(valid.tolist()):
        if count < kernel:
            multiplier, shift[i] = shift8.reciprocal(count)
            factor[i] = (kernel * multiplier) & LOW_BITS
    return factor, shift


def window(attributes: Mapping[str, Any]) -> int:
    return prod(attributes["kernel"])


if TYPE_CHECKING:
    from collections.abc import Callable

    _Unary = Callable[[Tensor], Tensor]


def largest(ranges: Sequence[Range]) -> int:
    return max(map(abs, ranges[0]))
