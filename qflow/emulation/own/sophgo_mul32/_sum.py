"""Sum: two tensors, or a tensor and a constant, each rescaled and rounded by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

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
from qflow.emulation.sophgo.grids import source_scale, target_scale
from qflow.emulation.sophgo.rescale import INT32, fast_shift, multiplier_and_shift, named, rescaled
from qflow.emulation.sophgo.rounding import round_away, saturate, shift_right
from qflow.emulation.sophgo.search import Pair, search8
from qflow.emulation.sophgo.weights import constant_operand

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

CONSTANT, SCALAR = "constant", "scalar"
LEFT, RIGHT = "left_", "right_"


class Sum(Op):
    """Attributes: form, reflected (the constant stands first), low, high.

    Of form `two` RSR(x*m, r) + RSR(y*n, s), all halves up; `constant` has integers for one of them.
    Of form `scalar` RSR(x*m + k, r), with k at the scale of the product.
    """

    operands = (1, 2)
    fields = form(form="word", reflected="flag", low="integer", high="integer")
    any_layout = False
    sign: ClassVar[int] = 1
    """Of the second operand."""
    constant_on_output: ClassVar[bool] = False
    """A constant operand lies on the output's scale, and not on one of its own."""

    def pair(self, ratio: float) -> Pair:
        """Multiplier and shift of an operand; `ratio` is its scale over the output's."""
        return search8(ratio, positive=True)

    def scalar_constants(self, scalar: float, source: float, target: float) -> tuple[Pair, int]:
        """Multiplier and shift of the operand, and k."""
        multiplier, shift = self.pair(source / target)
        whole = round_away(np.float64(scalar / target)) * 2.0 ** int(shift)
        return (multiplier, shift), int(saturate(whole, *INT32))

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if "alpha" in attributes:
            return f"alpha = {attributes['alpha']!r}: multiply before the sum instead"
        return ""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        a = node.attributes
        shapes = [build.operand(node, i).shape for i in range(len(node.inputs))]
        if node.weight is not None:
            shapes.append(node.weight.shape)
        output = build.output_type(node, broadcast(shapes))
        target = target_scale(node)
        ratios = [source_scale(node, i) / target for i in range(len(node.inputs))]
        if "scalar" in a:
            sign = 1 if a.get("reflected") else self.sign
            pair, k = self.scalar_constants(float(a["scalar"]), ratios[0] * target, target)
            kind, reflected = SCALAR, bool(a.get("reflected"))
            constants = named(*pair) | {"addend": np.array([sign * k], np.int32)}
        elif node.weight is not None:
            kind, reflected = CONSTANT, a["constant"] == 0
            constants = self.of_constant(node.weight, reflected, ratios[0], target)
        else:
            kind, reflected = TWO, False
            constants = named(*self.pair(ratios[0]), LEFT) | named(*self.pair(ratios[1]), RIGHT)
        low, high = limits(node, build, output)
        attributes = {"form": kind, "reflected": reflected, "low": low, "high": high}
        build.emit(node, self.name, node.inputs, output, attributes, constants)

    def of_constant(
        self, value: np.ndarray, first: bool, ratio: float, target: float
    ) -> dict[str, np.ndarray]:
        """Integers of a constant operand, and both multipliers in the order of the operands."""
        if self.constant_on_output:
            low, high = (0, 255) if (value >= 0).all() else (-128, 127)
            integers = saturate(round_away(value.astype(np.float64) / target), low, high)
            integers = integers.astype(np.int8 if low else np.uint8)
            own: Pair = (np.int64(1), np.int64(0))  # type: ignore[assignment]
        else:
            integers, step = constant_operand(value)
            own = self.pair(step / target)
        of_constant, of_tensor = (LEFT, RIGHT) if first else (RIGHT, LEFT)
        return {
            "value": integers,
            **named(*self.pair(ratio), of_tensor),
            **named(*own, of_constant),
        }

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        return of_form(attributes, shapes)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        if call.node.attributes["form"] == SCALAR:
            return {**multiplier_and_shift(), "addend": Constant(("int32",), ((1,),))}
        found = multiplier_and_shift(LEFT) | multiplier_and_shift(RIGHT)
        if call.node.attributes["form"] == CONSTANT:
            found["value"] = Constant(("int8", "uint8"), (value_shape(call),))
        return found

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, c = call.node.attributes, call.constants
        if a["form"] == SCALAR:
            product = operands[0].astype(np.int64) * c["multiplier"]
            if a["reflected"]:
                product = product * self.sign
            total = shift_right(product + c["addend"], c["shift"].astype(np.int64))
        else:
            left, right = _in_order(a, operands, c.get("value"))
            total = rescaled(left, c["left_multiplier"], c["left_shift"], "half_up")
            total = total + self.sign * rescaled(
                right, c["right_multiplier"], c["right_shift"], "half_up"
            )
        return np.clip(total, a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a, c = call.node.attributes, call.constants
        low, high = a["low"], a["high"]
        if a["form"] == SCALAR:
            factor = int(c["multiplier"][0]) * (self.sign if a["reflected"] else 1)
            addend = int(c["addend"][0])
            most = abs(factor) * reach(ranges[0]) + abs(addend)
            end = fast_shift(c["shift"], most, "half_up", device)

            def one(x: Tensor) -> Tensor:
                return end(x.double() * factor + addend).clamp_(low, high).float()

            return Fast(one)
        value = c.get("value")
        spans = [reach(r) for r in ranges] + ([255] if value is not None else [])
        if value is not None and a["reflected"]:
            spans.reverse()
        held = None if value is None else torch.from_numpy(value.astype(np.float32)).to(device)
        terms = [
            _fast_term(c, prefix, span, device)
            for prefix, span in zip((LEFT, RIGHT), spans, strict=True)
        ]

        def run(*operands: Tensor) -> Tensor:
            left, right = _in_order(a, operands, held)
            total = torch.add(terms[0](left), terms[1](right), alpha=self.sign)
            return total.clamp_(low, high).float()

        return Fast(run)


def _in_order(
    attributes: Mapping[str, Any], operands: Sequence[Any], value: Any
) -> tuple[Any, Any]:
    if value is None:
        return operands[0], operands[1]
    return (value, operands[0]) if attributes["reflected"] else (operands[0], value)


def _fast_term(constants: Mapping[str, np.ndarray], prefix: str, span: int, device: Any) -> Any:
    factor = int(constants[f"{prefix}multiplier"][0])
    end = fast_shift(constants[f"{prefix}shift"], abs(factor) * span, "half_up", device)
    return lambda x: end(
        x.float() * factor if abs(factor) * span < 1 << 24 else x.double() * factor
    )
