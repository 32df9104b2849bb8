"""ImageMean: LiteRT's optimized rule of a mean over the rows and columns of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.op import Call, Fast, Range
from qflow.emulation.own.tflite._ruled import Ruled
from qflow.emulation.own.tflite_builtin._tail import either, in_vectors
from qflow.emulation.profile import Constants, Limits, Ratio
from qflow.emulation.profiles.tflite_builtin import TfliteBuiltin
from qflow.emulation.profiles.tflite_reference import TfliteReference

if TYPE_CHECKING:
    from qflow.emulation.profile import Unary

VECTOR = 16


@dataclass(frozen=True)
class ImageMean(TfliteBuiltin):
    """`y = MBQM(sum of x with its zero point) - half_away(zp_x * s_x / s_y)`.

    MBQM is that of the profile, and of the reference for channels that are left over of vectors of
    16; M = float32(s_x / float32(n * s_y)). The sums that come here are without the zero point:
    the rule puts it back. Source: MEAN over axes 1 and 2 of an int8 image, kept as axes of 1, under
    the built-in kernels of LiteRT 2.3.0 on x86-64, measured channel by channel.
    """

    own: tuple[str, ...]  # type: ignore[misc]
    offset: int = 0
    """n * zp_x."""
    bias: int = 0
    channels: int = 0
    vectors: bool | None = None
    """Whether every channel is in a vector, or none; None: as many as there are."""

    def rescale_constants(self, ratio: Ratio) -> dict[str, np.ndarray]:
        target = (ratio.target_scale * np.float32(ratio.count)).astype(np.float32)
        return self._named("", (ratio.source[0] / target).astype(np.float64))

    def rescale(self, values: np.ndarray, constants: Constants) -> np.ndarray:
        total = values + self.offset
        if self.vectors is False:
            return TfliteReference().rescale(total, constants) - self.bias
        found = super().rescale(total, constants) - self.bias
        if self.vectors:
            return found
        one_by_one = TfliteReference().rescale(total, constants) - self.bias
        return np.where(self.mask, found, one_by_one)

    @property
    def mask(self) -> np.ndarray:
        """The channels in vectors."""
        return in_vectors(self.channels, VECTOR)

    def fast_rescale(self, constants: Constants, limits: Limits, device: Any) -> Unary:
        bound = limits.bound + abs(self.offset)
        moved = Limits(bound, limits.low + self.bias, limits.high + self.bias)
        rule = TfliteReference() if self.vectors is False else super()
        run = rule.fast_rescale(constants, moved, device)
        return lambda total: run(total.double() + self.offset).sub_(self.bias)

    def of(self, call: Call, count: int) -> ImageMean:
        """The rule of a node whose sums are of `count` values."""
        ratio = scale(call.sources[0]).astype(np.float64) / scale(call.node.output)
        shift = call.zero(0) * float(ratio[0])
        bias = int(np.copysign(np.floor(abs(shift) + 0.5), shift))
        channels = call.shapes[0][1]
        return replace(self, offset=count * call.zero(0), bias=bias, channels=channels)


class Vectored(Ruled):
    """Before the operator's class among the bases: a mean of an image by `ImageMean`."""

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        rule = self.rule_of(call)
        if not isinstance(rule, ImageMean) or rule.vectors is not None:
            return super().fast(call, ranges, device)

        def made(vectors: bool) -> Fast:
            under = replace(call, profile=replace(rule, vectors=vectors))
            return super(Vectored, self).fast(under, ranges, device)

        return either(rule.mask, made, device)
