"""cat: on CV18xx each operand is brought onto the output's grid with 8 bits, inside of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import Call, Constant, Fast, Range, Unsupported, form
from qflow.emulation.ops.cat import Cat as General
from qflow.emulation.own.sophgo_q31._joint import BYTE, LONGEST
from qflow.emulation.sophgo import fast as rounding_in_torch
from qflow.emulation.sophgo import q31
from qflow.emulation.sophgo.grids import source_scale, target_scale
from qflow.emulation.sophgo.reading import integers, limits
from qflow.emulation.sophgo.rounding import cvms

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Cat(General):
    """Attributes: dim, low, high. `sat(cvms(x, m, r))` of every operand that needs it."""

    keeps_type = False
    fields = form(dim="axis", low="integer", high="integer")

    def lower(self, node: PreparedNode, build: Builder) -> None:
        count = len(node.inputs)
        if len(node.input_grids) != count or any(grid is None for grid in node.input_grids):
            raise Unsupported("one operand is a constant: it stays float on CV18xx")
        pairs = [q31.moved(source_scale(node, i), target_scale(node)) for i in range(count)]
        shapes = [build.operand(node, i).shape for i in range(count)]
        output = build.output_type(node, self.shape(node.attributes, shapes))
        constants = {
            "multiplier": integers(*[m for m, _ in pairs]),
            "shift": integers(*[r for _, r in pairs]),
        }
        attributes = {"dim": node.attributes["dim"], **limits(node, output)}
        build.emit(node, "cat", node.inputs, output, attributes, constants)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        each = ((len(call.sources),),)
        return {
            "multiplier": Constant(("int32",), each, low=BYTE[0], high=BYTE[1]),
            "shift": Constant(("int32",), each, low=0, high=LONGEST),
        }

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return call.node.attributes["low"], call.node.attributes["high"]

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        pairs = zip(call.constants["multiplier"], call.constants["shift"], strict=True)
        parts = [cvms(x, m, r) for x, (m, r) in zip(operands, pairs, strict=True)]
        return np.clip(np.concatenate(parts, axis=a["dim"]), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a = call.node.attributes
        multiplier, shift = (call.constants[k] for k in ("multiplier", "shift"))
        moves = [
            rounding_in_torch.cvms(
                multiplier[i : i + 1], shift[i : i + 1], max(map(abs, span)), device
            )
            for i, span in enumerate(ranges)
        ]

        def run(*operands: Tensor) -> Tensor:
            parts = [move(x) for move, x in zip(moves, operands, strict=True)]
            return torch.cat(parts, a["dim"]).clamp_(a["low"], a["high"])

        return Fast(run)
