"""avg_pool2d: one 8-bit multiplier for the sum; at a border the chip corrects it twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Range, form
from qflow.emulation.ops import avg_pool2d as general
from qflow.emulation.ops._window import pad_image, windows_of
from qflow.emulation.own.sophgo._operands import limits, reach
from qflow.emulation.profile import Limits
from qflow.emulation.sophgo.grids import source_scale, target_scale
from qflow.emulation.sophgo.rescale import fast_rescale, multiplier_and_shift, named, rescaled
from qflow.emulation.sophgo.rounding import ShiftRounding
from qflow.emulation.sophgo.search import Pair, search8
from qflow.emulation.sophgo.shift8 import reciprocal

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class AvgPool2d(general.AvgPool2d):
    """Attributes: kernel, stride, padding, skips_padding, low, high.

    `sat(RSR(sum * m, r))`, halves up, padding counted. Where padding is not counted, the rows at
    a border are corrected after that, then the columns: `sat(RSR(v * k * i(n), e(n)))` with k the
    size of the window, n what of it lies inside and i / 2^e the 8-bit form of 1/n.
    """

    fields = form(
        kernel="pair",
        stride="pair",
        padding="padding",
        skips_padding="flag",
        low="integer",
        high="integer",
    )
    border_rounding: ClassVar[ShiftRounding] = "half_away"

    def pair(self, ratio: float, area: int) -> Pair:
        """Multiplier and shift of a sum of `area` values; `ratio` is that of the scales."""
        return search8(ratio / area)

    def border_factor(self, window: int, multiplier: int) -> int:
        """What a value at a border is multiplied by."""
        return window * multiplier

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        kept = {k: v for k, v in attributes.items() if k != "skips_padding"}
        return super().float_only(kept, shapes)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        given = node.attributes
        output = build.output_type(node, self.shape(given, [build.operand(node, 0).shape]))
        pair = self.pair(source_scale(node, 0) / target_scale(node), prod(given["kernel"]))
        low, high = limits(node, build, output)
        attributes = {k: given[k] for k in ("kernel", "stride", "padding")}
        skips = bool(given.get("skips_padding", False))
        attributes |= {"skips_padding": skips, "low": low, "high": high}
        build.emit(node, "avg_pool2d", node.inputs, output, attributes, named(*pair))

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return multiplier_and_shift()

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, c = call.node.attributes, call.constants
        image = pad_image(operands[0].astype(np.int64), a["padding"], 0)
        total = windows_of(image, a["kernel"], a["stride"]).sum(axis=(4, 5))
        value = np.clip(
            rescaled(total, c["multiplier"], c["shift"], "half_up"), a["low"], a["high"]
        )
        if not a["skips_padding"]:
            return value
        for axis, (factor, shift) in zip((2, 3), self.border(call), strict=True):
            view = [1, 1, 1, 1]
            view[axis] = -1
            corrected = rescaled(
                value, factor.reshape(view), shift.reshape(view), self.border_rounding
            )
            value = np.clip(corrected, a["low"], a["high"])
        return value

    def border(self, call: Call) -> list[Pair]:
        """Per axis the factor and shift of every row or column; (1, 0) where all lies inside."""
        a, shape = call.node.attributes, call.shapes[0]
        found = []
        for i in range(2):
            window = a["kernel"][i]
            counts = inside(
                shape[2 + i], window, a["stride"][i], a["padding"][i], a["padding"][i + 2]
            )
            pairs = [
                (1, 0)
                if n == window
                else (self.border_factor(window, reciprocal(n)[0]), reciprocal(n)[1])
                for n in counts
            ]
            factor, shift = zip(*pairs, strict=True)
            found.append((np.array(factor), np.array(shift)))
        return found

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        a, c = call.node.attributes, call.constants
        most = reach(ranges[0]) * prod(a["kernel"])
        clamp = Limits(most, a["low"], a["high"])
        end = fast_rescale(c["multiplier"], c["shift"], "half_up", clamp, device)
        steps = []
        if a["skips_padding"]:
            held = Limits(max(abs(a["low"]), abs(a["high"])), a["low"], a["high"])
            for axis, (factor, shift) in zip((2, 3), self.border(call), strict=True):
                view = [1, 1, 1, 1]
                view[axis] = -1
                steps.append(
                    fast_rescale(
                        factor.reshape(view),
                        shift.reshape(view),
                        self.border_rounding,
                        held,
                        device,
                    )
                )
        sums = window_sums(a, most)

        def run(x: Tensor) -> Tensor:
            value = end(sums(x))
            for step in steps:
                value = step(value)
            return value

        return Fast(run, "float32" if most < 1 << 24 else "float64", most)


def inside(size: int, window: int, stride: int, before: int, behind: int) -> list[int]:
    """How many places of each window lie inside of the image, not below 1."""
    starts = range(-before, size + behind - window + 1, stride)
    return [max(min(s + window, size) - max(s, 0), 1) for s in starts]


def window_sums(attributes: Mapping[str, Any], most: int) -> Callable[[Tensor], Tensor]:
    """Exact sums of all windows, padding counted as 0."""
    import torch
    from torch.nn.functional import avg_pool2d, pad

    top, left, bottom, right = attributes["padding"]
    dtype = torch.float32 if most < 1 << 24 else torch.float64

    def run(x: Tensor) -> Tensor:
        image = pad(x.to(dtype), (left, right, top, bottom))
        return avg_pool2d(image, attributes["kernel"], attributes["stride"], divisor_override=1)

    return run
