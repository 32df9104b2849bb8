"""mul: of BM1684; one multiplier of 8 bits and a shift to the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Range, form
from qflow.emulation.ops.mul import Mul as General
from qflow.emulation.own.sophgo_shift8 import _terms
from qflow.emulation.own.sophgo_shift8._factor import lower_factor
from qflow.emulation.sophgo import shift8
from qflow.emulation.sophgo.grids import target_scale
from qflow.emulation.sophgo.reading import integers, limits, required, source_scale
from qflow.emulation.sophgo.rescale import fast_shift, multiplier_and_shift
from qflow.emulation.sophgo.rounding import shift_right

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Mul(General):
    """Attributes: place, where a constant stands (0, 1, or -1 for none), low, high.

    `sat(RSR(x * y * m, r))`.
    """

    integer = True
    operands = (1, 2)
    any_layout = False
    fields = form(place="integer", low="integer", high="integer")

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        return ""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if "scalar" in node.attributes:
            return lower_factor(node, build, float(node.attributes["scalar"]))
        place = int(node.attributes.get("constant", _terms.NOWHERE))
        scales = [source_scale(node, i) for i in range(len(node.inputs))]
        shapes = [build.operand(node, i).shape for i in range(len(node.inputs))]
        constants: dict[str, np.ndarray] = {}
        weight: tuple[int, ...] = ()
        if place != _terms.NOWHERE:
            held, scale, dtype = shift8.constant(required(node.weight, "constant"))
            constants["weight"], weight = held.astype(dtype), held.shape
            scales.append(scale)
        multiplier, shift = shift8.product(scales[0], scales[1], target_scale(node))
        constants |= {"multiplier": integers(multiplier), "shift": integers(shift)}
        output = build.output_type(node, self.shape({"place": place}, shapes, weight))
        attributes = {"place": place, **limits(node, output)}
        build.emit(node, "mul", node.inputs, output, attributes, constants)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        held = attributes.get("place", _terms.NOWHERE) != _terms.NOWHERE
        return _terms.broadcast([*shapes, weight] if held else shapes)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        found = multiplier_and_shift()
        if call.node.attributes["place"] == _terms.NOWHERE:
            return found
        shape = call.constants["weight"].shape if "weight" in call.constants else ()
        return {**found, "weight": Constant(("int8", "uint8"), (shape,))}

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        left = operands[0].astype(np.int64)
        right = call.constants["weight"] if "weight" in call.constants else operands[1]
        multiplier, shift = (call.constants[k].astype(np.int64) for k in ("multiplier", "shift"))
        product = left * right.astype(np.int64) * multiplier
        return np.clip(shift_right(product, shift), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a = call.node.attributes
        multiplier = int(call.constants["multiplier"][0])
        spans = list(ranges)
        held: list[Tensor] = []
        if "weight" in call.constants:
            weight = call.constants["weight"].astype(np.float32)
            held.append(torch.from_numpy(weight).to(device))
            spans.append((int(weight.min()), int(weight.max())))
        bound = max(map(abs, spans[0])) * max(map(abs, spans[1]))
        rounded = fast_shift(call.constants["shift"], bound * abs(multiplier), "half_up", device)

        def run(*operands: Tensor) -> Tensor:
            left, right = [*operands, *held]
            product = (left.float() * right.float()).double().mul_(multiplier)
            return rounded(product).clamp_(a["low"], a["high"]).float()

        return Fast(run)
