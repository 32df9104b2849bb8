"""Product: of two tensors, of a tensor and a constant, or of a tensor and a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Op, Range, form
from qflow.emulation.own.sophgo._operands import (
    TWO,
    broadcast,
    limits,
    of_form,
    reach,
    value_shape,
)
from qflow.emulation.profile import Limits
from qflow.emulation.sophgo.grids import source_scale, target_scale
from qflow.emulation.sophgo.rescale import fast_rescale, multiplier_and_shift, named, rescaled
from qflow.emulation.sophgo.search import Pair, search8
from qflow.emulation.sophgo.weights import constant_factor

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

CONSTANT, SCALAR = "constant", "scalar"


class Product(Op):
    """Attributes: form, low, high.

    `RSR(x*y*m, r)`, y the other operand, integers of a constant, or 1; halves go up. The multiplier
    of a number has its sign.
    """

    operands = (1, 2)
    fields = form(form="word", low="integer", high="integer")

    def pair(self, ratio: float) -> Pair:
        """Multiplier and shift of a product of integers; `ratio` may be below 0."""
        return search8(ratio)

    def scalar_pair(self, ratio: float) -> Pair:
        """The same of a tensor times a number."""
        return self.pair(ratio)

    def constant(self, value: np.ndarray) -> tuple[np.ndarray, float]:
        """A constant operand as integers, and their scale: a quotient of float32."""
        return constant_factor(value)

    def number(self, node: PreparedNode) -> float | None:
        """The number it multiplies by, where it does."""
        scalar = node.attributes.get("scalar")
        return None if scalar is None else float(scalar)

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        return ""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        shapes = [build.operand(node, i).shape for i in range(len(node.inputs))]
        ratio = source_scale(node, 0) / target_scale(node)
        number, constants = self.number(node), {}
        if number is not None:
            kind, pair = SCALAR, self.scalar_pair(number * ratio)
        elif node.weight is not None:
            integers, step = self.constant(node.weight)
            shapes.append(node.weight.shape)
            constants = {"value": integers}
            kind, pair = CONSTANT, self.pair(source_scale(node, 0) * step / target_scale(node))
        else:
            product = source_scale(node, 0) * source_scale(node, 1)
            kind, pair = TWO, self.pair(product / target_scale(node))
        output = build.output_type(node, broadcast(shapes))
        low, high = limits(node, build, output)
        attributes = {"form": kind, "low": low, "high": high}
        build.emit(node, "mul", node.inputs, output, attributes, constants | named(*pair))

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return of_form(attributes, shapes)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        found = multiplier_and_shift()
        if call.node.attributes["form"] == CONSTANT:
            found["value"] = Constant(("int8", "uint8"), (value_shape(call),))
        return found

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, c = call.node.attributes, call.constants
        product = operands[0].astype(np.int64)
        if a["form"] != SCALAR:
            product = product * (operands[1] if a["form"] == TWO else c["value"]).astype(np.int64)
        total = rescaled(product, c["multiplier"], c["shift"], "half_up")
        return np.clip(total, a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a, c = call.node.attributes, call.constants
        bound = reach(ranges[0])
        if a["form"] != SCALAR:
            bound *= 255 if a["form"] == CONSTANT else reach(ranges[1])
        clamp = Limits(bound, a["low"], a["high"])
        end = fast_rescale(c["multiplier"], c["shift"], "half_up", clamp, device)
        if a["form"] == SCALAR:
            return Fast(lambda x: end(x.float()))
        if a["form"] == TWO:
            return Fast(lambda x, y: end(x.float() * y.float()))
        held = torch.from_numpy(c["value"].astype(np.float32)).to(device)

        def run(x: Tensor) -> Tensor:
            return end(x.float() * held)

        return Fast(run)
