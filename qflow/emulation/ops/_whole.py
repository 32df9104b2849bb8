"""What floor and ceil share: whole numbers out of integers of a grid, without a table.

A float32 scale is m * 2^-shift with m of 24 bits, so

    floor(q * scale) = (q * m) >> shift

is exact, and one rescale brings that whole number, of scale 1, to the output's grid.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.op import ROUNDED, Call, Constant, Fast, Op, Range, form
from qflow.emulation.ops import _rescaled
from qflow.emulation.ops._unary import Unary
from qflow.emulation.profile import Ratio

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

MANTISSA_BITS = 24
SHIFT_MOST, LEFT_MOST = 62, 20
LARGEST = 1 << 30
"""Whole numbers saturate here: no grid of 16 bits reaches so far."""


class Whole(Unary):
    """Attributes of the integer node: mantissa, right (its shift; below 0 to the left), the clamp.

    `floor` and `ceil` differ in the sign they put before and behind: ceil(x) = -floor(-x).
    """

    role = "elementwise"
    fields = form(mantissa="count", right="integer", low="integer", high="integer")
    within = ROUNDED

    def signed(self, x: Any) -> Any:
        """The operand or the result with its sign."""
        raise NotImplementedError

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        output = build.output_type(node, source.shape, source.layout)
        fraction, exponent = math.frexp(float(scale(source)[0]))
        attributes = {
            "mantissa": int(math.ldexp(fraction, MANTISSA_BITS)),
            "right": MANTISSA_BITS - exponent,
            **build.clamp(node, output),
        }
        ratio = Ratio((np.ones(1, np.float32),), (scale(output),))
        constants = build.profile.rescale_constants(ratio)
        build.emit(node, node.op, node.inputs, output, attributes, constants)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _rescaled.roles(call)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return Op.values(self, call, ranges)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        mantissa, right, left = _factors(call)
        product = self.signed(call.centred(0, operands[0])) * mantissa
        whole = np.clip((product >> right) << left, -LARGEST, LARGEST)
        return _rescaled.oracle(call, self.signed(whole))

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        mantissa, right, left = _factors(call)
        end = _rescaled.finish(call, LARGEST, device)
        zero = call.zero(0)

        def run(q: Tensor) -> Tensor:
            product = self.signed(q.long() - zero) * mantissa
            whole = ((product >> right) << left).clamp_(-LARGEST, LARGEST)
            return end(self.signed(whole).double())

        return Fast(run, "int64", LARGEST)


def _factors(call: Call) -> tuple[int, int, int]:
    """Mantissa, shift to the right, shift to the left: at most 24, 62 and 20 bits."""
    attributes = call.node.attributes
    mantissa = min(attributes["mantissa"], (1 << MANTISSA_BITS) - 1)
    right = attributes["right"]
    return mantissa, min(max(right, 0), SHIFT_MOST), min(max(-right, 0), LEFT_MOST)
