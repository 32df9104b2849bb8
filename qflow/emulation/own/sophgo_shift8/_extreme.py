"""Extreme: the larger or smaller of two raw integers, or of a product and a number on BM1684."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.op import Call, Constant, Fast, Op, Range, Unsupported, form
from qflow.emulation.own.sophgo_shift8._terms import broadcast
from qflow.emulation.sophgo import shift8
from qflow.emulation.sophgo.grids import target_scale
from qflow.emulation.sophgo.reading import integers, limits, required, source_scale
from qflow.emulation.sophgo.rescale import ONE, fast_shift, multiplier_and_shift
from qflow.emulation.sophgo.rounding import shift_right

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Extreme(Op):
    """Attributes: number, whether the second operand is the constant `value`; low, high.

    Of two tensors the raw integers; of a number `sat(RSR(max(x * m, value), r))`.
    """

    integer = True
    operands = (1, 2)
    keeps_type = False
    fields = form(number="flag", low="integer", high="integer")
    function: ClassVar[str]
    """Its name in NumPy and torch."""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        number = len(node.inputs) == 1
        shapes = [build.operand(node, i).shape for i in range(len(node.inputs))]
        output = build.output_type(node, broadcast(shapes))
        constants = self._number(node) if number else {}
        attributes = {"number": number, **limits(node, output)}
        build.emit(node, node.op, node.inputs, output, attributes, constants)
        build.notes.append(
            f"{node.id}: the compiled model overwrites its operand; "
            "other readers of it differ on the chip"
        )

    def _number(self, node: PreparedNode) -> dict[str, np.ndarray]:
        value = required(node.weight, "constant")
        if value.size != 1:
            raise Unsupported("a constant of many values: only a number")
        target = target_scale(node)
        multiplier, shift = shift8.addend(source_scale(node, 0), target)
        return {
            "multiplier": integers(multiplier),
            "shift": integers(shift),
            "value": integers(shift8.scalar(float(value.reshape(())), target, shift)),
        }

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        if len(shapes) != (1 if attributes["number"] else 2):
            raise Unsupported(f"{len(shapes)} tensors do not fit its form")
        return broadcast(shapes)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        if not call.node.attributes["number"]:
            return {}
        low, high = shift8.INT16
        return {**multiplier_and_shift(), "value": Constant(("int32",), ONE, low=low, high=high)}

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        kind = DTYPES[call.node.output.dtype]
        return kind.qmin, kind.qmax

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, pick = call.node.attributes, getattr(np, self.function)
        left = operands[0].astype(np.int64)
        if not a["number"]:
            return np.clip(pick(left, operands[1].astype(np.int64)), a["low"], a["high"])
        multiplier, shift, value = (
            call.constants[k].astype(np.int64) for k in ("multiplier", "shift", "value")
        )
        return np.clip(shift_right(pick(left * multiplier, value), shift), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a, pick = call.node.attributes, getattr(torch, self.function)
        if not a["number"]:
            return Fast(lambda x, y: pick(x.float(), y.float()).clamp_(a["low"], a["high"]))
        multiplier, value = (int(call.constants[k][0]) for k in ("multiplier", "value"))
        bound = max(max(map(abs, ranges[0])) * abs(multiplier), abs(value))
        rounded = fast_shift(call.constants["shift"], bound, "half_up", device)
        limit = torch.tensor(float(value), dtype=torch.float64, device=device)

        def run(x: Tensor) -> Tensor:
            chosen = pick(x.double() * multiplier, limit)
            return rounded(chosen).clamp_(a["low"], a["high"]).float()

        return Fast(run)
