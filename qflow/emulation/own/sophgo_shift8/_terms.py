"""Terms: a sum or difference whose terms are brought onto the output's grid one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Op, Range, Unsupported, form
from qflow.emulation.own.sophgo_shift8.affine import emit_affine
from qflow.emulation.sophgo import shift8
from qflow.emulation.sophgo.grids import target_scale
from qflow.emulation.sophgo.reading import integers, limits, required, source_scale
from qflow.emulation.sophgo.rescale import fast_shift, multiplier_and_shift
from qflow.emulation.sophgo.rounding import shift_right

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

NOWHERE = -1


class Terms(Op):
    """Attributes: place, where a constant stands (0, 1, or -1 for none), low, high.

    `sat(RSR(x * m0, r0) + RSR(y * m1, r1))`, or minus.
    """

    integer = True
    operands = (1, 2)
    any_layout = False
    fields = form(place="integer", low="integer", high="integer")
    sign: ClassVar[int]
    """Of the second term."""

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if "alpha" in attributes:
            return f"alpha = {attributes['alpha']!r}: multiply before the sum instead"
        return ""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if "scalar" in node.attributes:
            return self._lower_number(node, build)
        place = int(node.attributes.get("constant", NOWHERE))
        scales = [source_scale(node, i) for i in range(len(node.inputs))]
        shapes = [build.operand(node, i).shape for i in range(len(node.inputs))]
        constants: dict[str, np.ndarray] = {}
        weight: tuple[int, ...] = ()
        if place != NOWHERE:
            held, scale, dtype = shift8.constant(required(node.weight, "constant"))
            constants["weight"], weight = held.astype(dtype), held.shape
            scales.insert(place, scale)
        pairs = [shift8.addend(s, target_scale(node)) for s in scales]
        constants["multiplier"] = integers(*[m for m, _ in pairs])
        constants["shift"] = integers(*[r for _, r in pairs])
        output = build.output_type(node, self.shape({"place": place}, shapes, weight))
        attributes = {"place": place, **limits(node, output)}
        build.emit(node, node.op, node.inputs, output, attributes, constants)

    def _lower_number(self, node: PreparedNode, build: Builder) -> None:
        """x + c, x - c, or c - x."""
        target = target_scale(node)
        multiplier, shift = shift8.addend(source_scale(node, 0), target)
        addend = shift8.scalar(float(node.attributes["scalar"]), target, shift)
        reflected = bool(node.attributes.get("reflected")) and self.sign < 0
        signs = (-1, 1) if reflected else (1, self.sign)
        emit_affine(node, build, multiplier, shift, addend, signs)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        parts = [*shapes, weight] if attributes.get("place", NOWHERE) != NOWHERE else shapes
        return broadcast(parts)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        found = multiplier_and_shift(shapes=((2,),))
        if call.node.attributes["place"] == NOWHERE:
            return found
        shape = call.constants["weight"].shape if "weight" in call.constants else ()
        return {**found, "weight": Constant(("int8", "uint8"), (shape,))}

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        terms = _with_constant(call, operands)
        multiplier, shift = (call.constants[k].astype(np.int64) for k in ("multiplier", "shift"))
        one, other = (
            shift_right(x.astype(np.int64) * multiplier[i], int(shift[i]))
            for i, x in enumerate(terms)
        )
        a = call.node.attributes
        return np.clip(one + self.sign * other, a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a, place = call.node.attributes, call.node.attributes["place"]
        spans = list(ranges)
        held = None
        if place != NOWHERE:
            weight = call.constants["weight"].astype(np.float32)
            held = torch.from_numpy(weight).to(device)
            spans.insert(place, (int(weight.min()), int(weight.max())))
        multiplier = [float(m) for m in call.constants["multiplier"]]
        rounded = [
            fast_shift(
                call.constants["shift"][i : i + 1],
                max(map(abs, spans[i])) * int(abs(multiplier[i])),
                "half_up",
                device,
            )
            for i in range(2)
        ]

        def run(*operands: Tensor) -> Tensor:
            terms = list(operands)
            if held is not None:
                terms.insert(place, held)
            one, other = (rounded[i](x.float() * multiplier[i]) for i, x in enumerate(terms))
            total = one + other if self.sign > 0 else one - other
            return total.clamp_(a["low"], a["high"]).float()

        return Fast(run)


def _with_constant(call: Call, operands: Sequence[np.ndarray]) -> list[np.ndarray]:
    terms = list(operands)
    if call.node.attributes["place"] != NOWHERE:
        terms.insert(call.node.attributes["place"], call.constants["weight"])
    return terms


def broadcast(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape they have together. Raises Unsupported."""
    try:
        return tuple(int(n) for n in np.broadcast_shapes(*shapes))
    except ValueError:
        raise Unsupported(f"shapes {', '.join(map(str, shapes))} do not fit together") from None
