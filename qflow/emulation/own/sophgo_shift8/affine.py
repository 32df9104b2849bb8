"""affine: `sat(RSR(x * m + k, r))`: a tensor and a number, what add, sub, mul and neg become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Op, Range, Unsupported, form
from qflow.emulation.sophgo.reading import integers, limits
from qflow.emulation.sophgo.rescale import ONE, fast_shift, multiplier_and_shift
from qflow.emulation.sophgo.rounding import shift_right
from qflow.emulation.sophgo.shift8 import INT16

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

Signs = tuple[int, int]
"""Of the product and of the number: (1, -1) is x*m - k."""


def emit_affine(
    node: PreparedNode,
    build: Builder,
    multiplier: int,
    shift: int,
    addend: int = 0,
    signs: Signs = (1, 1),
) -> None:
    """The node that stands for one operand and a number."""
    output = build.output_type(node, build.operand(node, 0).shape)
    constants = {
        "multiplier": integers(multiplier),
        "shift": integers(shift),
        "addend": integers(addend),
    }
    attributes = {"signs": signs, **limits(node, output)}
    build.emit(node, "affine", node.inputs, output, attributes, constants)


class Affine(Op):
    """Attributes: signs, those of the product and of the number; low, high. Lowering makes it."""

    name = "affine"
    role = "elementwise"
    fields = form(signs="offsets", low="integer", high="integer")
    any_layout = True

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        if tuple(map(abs, attributes["signs"])) != (1, 1):
            raise Unsupported(f"signs {attributes['signs']}: two of 1 or -1")
        return tuple(shapes[0])

    def roles(self, call: Call) -> Mapping[str, Constant]:
        addend = Constant(("int32",), ONE, low=INT16[0], high=INT16[1])
        return {**multiplier_and_shift(), "addend": addend}

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        multiplier, shift, addend = (
            call.constants[k].astype(np.int64) for k in ("multiplier", "shift", "addend")
        )
        of_product, of_number = a["signs"]
        total = of_product * operands[0].astype(np.int64) * multiplier + of_number * addend
        return np.clip(shift_right(total, shift), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        a = call.node.attributes
        of_product, of_number = a["signs"]
        factor = of_product * int(call.constants["multiplier"][0])
        offset = of_number * int(call.constants["addend"][0])
        bound = max(map(abs, ranges[0])) * abs(factor) + abs(offset)
        rounded = fast_shift(call.constants["shift"], bound, "half_up", device)

        def run(x: Tensor) -> Tensor:
            total = (x.double() * factor).add_(offset)
            return rounded(total).clamp_(a["low"], a["high"]).float()

        return Fast(run)
