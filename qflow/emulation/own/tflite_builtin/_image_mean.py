"""ImageMean: LiteRT's optimized rule of a mean over the rows and columns of an image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.op import Call
from qflow.emulation.profile import Constants, Limits, Ratio
from qflow.emulation.profiles.tflite_builtin import TfliteBuiltin

if TYPE_CHECKING:
    from qflow.emulation.profile import Unary


@dataclass(frozen=True)
class ImageMean(TfliteBuiltin):
    """`y = MBQM(sum of x with its zero point) - half_away(zp_x * s_x / s_y)`.

    MBQM is that of the profile, M = float32(s_x / float32(n * s_y)). The sums that come here are
    without the zero point: the rule puts it back. Source: MEAN over axes 1 and 2 of an int8 image,
    kept as axes of 1, under the built-in kernels of LiteRT on x86-64, measured.
    """

    own: tuple[str, ...]  # type: ignore[misc]
    offset: int = 0
    """n * zp_x."""
    bias: int = 0

    def rescale_constants(self, ratio: Ratio) -> dict[str, np.ndarray]:
        target = (ratio.target_scale * np.float32(ratio.count)).astype(np.float32)
        return self._named("", (ratio.source[0] / target).astype(np.float64))

    def rescale(self, values: np.ndarray, constants: Constants) -> np.ndarray:
        return super().rescale(values + self.offset, constants) - self.bias

    def fast_rescale(self, constants: Constants, limits: Limits, device: Any) -> Unary:
        bound = limits.bound + abs(self.offset)
        moved = Limits(bound, limits.low + self.bias, limits.high + self.bias)
        run = super().fast_rescale(constants, moved, device)
        return lambda total: run(total.double() + self.offset).sub_(self.bias)

    def of(self, call: Call, count: int) -> ImageMean:
        """The rule of a node whose sums are of `count` values."""
        ratio = scale(call.sources[0]).astype(np.float64) / scale(call.node.output)
        shift = call.zero(0) * float(ratio[0])
        bias = int(np.copysign(np.floor(abs(shift) + 0.5), shift))
        return replace(self, offset=count * call.zero(0), bias=bias)
