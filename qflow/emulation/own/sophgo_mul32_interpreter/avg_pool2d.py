"""avg_pool2d: at a border the interpreter takes the float32 mean of what lies inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Fast, Range
from qflow.emulation.ops._window import pad_image, windows_of
from qflow.emulation.own.sophgo._operands import reach
from qflow.emulation.own.sophgo_mul32 import avg_pool2d as chip
from qflow.emulation.profile import Limits
from qflow.emulation.sophgo.rescale import fast_rescale, rescaled
from qflow.emulation.sophgo.rounding import round_away

if TYPE_CHECKING:
    from torch import Tensor


class AvgPool2d(chip.AvgPool2d):
    """`RSR(round_away(float32(sum / n) * k) * m, r)` where padding is not counted.

    n is how many values of the window lie inside, k its size.
    """

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, c = call.node.attributes, call.constants
        if not a["skips_padding"]:
            return super().oracle(call, *operands)
        image = pad_image(operands[0].astype(np.int64), a["padding"], 0)
        total = windows_of(image, a["kernel"], a["stride"]).sum(axis=(4, 5))
        # the rule itself is in float32
        mean = total.astype(np.float32) / _counts(call)
        whole = round_away(mean * np.float32(_area(call))).astype(np.int64)
        return np.clip(rescaled(whole, c["multiplier"], c["shift"], "half_up"), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a, c = call.node.attributes, call.constants
        if not a["skips_padding"]:
            return super().fast(call, ranges, device)
        most = (reach(ranges[0]) + 1) * _area(call)
        sums = chip.window_sums(a, most)
        counts = torch.from_numpy(_counts(call)).to(device)
        clamp = Limits(most, a["low"], a["high"])
        end = fast_rescale(c["multiplier"], c["shift"], "half_up", clamp, device)

        def run(x: Tensor) -> Tensor:
            product = (sums(x).float() / counts * float(_area(call))).double()
            return end(torch.copysign(product.abs().add_(0.5).floor_(), product))

        return Fast(run, "float32", most)


def _area(call: Call) -> int:
    rows, columns = call.node.attributes["kernel"]
    return int(rows * columns)


def _counts(call: Call) -> np.ndarray:
    """How many values of each window lie inside, float32 [rows, columns]."""
    a, shape = call.node.attributes, call.shapes[0]
    rows, columns = (
        chip.inside(
            shape[2 + i], a["kernel"][i], a["stride"][i], a["padding"][i], a["padding"][i + 2]
        )
        for i in range(2)
    )
    return np.outer(rows, columns).astype(np.float32)
