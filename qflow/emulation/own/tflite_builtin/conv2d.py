"""conv2d: DEPTHWISE_CONV_2D of int8 by the optimized kernels, 8 channels at a time.

Whole vectors of channels follow the profile, those left over round as `tflite.reference`. Source:
LiteRT 2.3.0 on x86-64 without delegates, measured channel by channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Fast, Range
from qflow.emulation.ops import conv2d as general
from qflow.emulation.own.tflite import conv2d
from qflow.emulation.own.tflite_builtin._tail import either, in_vectors
from qflow.emulation.profiles.tflite_builtin import TfliteBuiltin
from qflow.emulation.profiles.tflite_reference import TfliteReference

if TYPE_CHECKING:
    from qflow.emulation.profile import Profile

VECTOR = 8


class Conv2d(conv2d.Conv2d):
    """As the general operator."""

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        found = super().oracle(call, *operands)
        if not _in_vectors(call):
            return found
        one_by_one = general.Conv2d.oracle(self, _under(call, TfliteReference()), *operands)
        return np.where(in_vectors(_channels(call), VECTOR), found, one_by_one)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        if not _in_vectors(call):
            return super().fast(call, ranges, device)

        def made(vectors: bool) -> Fast:
            rule = call.profile if vectors else TfliteReference()
            return general.Conv2d.fast(self, _under(call, rule), ranges, device)

        return either(in_vectors(_channels(call), VECTOR), made, device)


def _in_vectors(call: Call) -> bool:
    """Whether the depthwise kernel of int8 runs it; one group is a plain convolution."""
    a = call.node.attributes
    if not isinstance(call.profile, TfliteBuiltin):
        return False  # another profile that looks operators up here
    of_bytes = call.sources[0].dtype == call.node.output.dtype == "int8"
    return of_bytes and not a["residual"] and 1 < a["groups"] == call.shapes[0][1]


def _channels(call: Call) -> int:
    return len(call.constants["weight"])


def _under(call: Call, rule: Profile) -> Call:
    return replace(call, profile=rule)
