"""What add and sub compute: two signed operands on a common grid, and one rescale of their sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.builder import scale
from qflow.emulation.gemm import centred_ranges, reach
from qflow.emulation.op import ROUNDED, Call, Constant, Fast, Range
from qflow.emulation.ops._arithmetic import Arithmetic, number
from qflow.emulation.profile import Limits, constants_of

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

LARGEST_SCALAR = 1 << 14
"""Largest magnitude of the integer that stands for a number."""


class Sum(Arithmetic):
    """An integer node has one operand where the other is a number.

    The number is the constant `scalar`: plus or minus 2^6 beside 8-bit operands, 2^14 beside 16-bit
    ones, on a grid of its own, where it is exact.
    """

    within = ROUNDED
    sign: ClassVar[int]
    """Of the second operand."""

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        return "alpha = 0: nothing is added" if attributes.get("alpha", 1) == 0 else ""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        a = node.attributes
        weight = self.sign * number(a.get("alpha", 1), "alpha")
        first, second = (weight, 1.0) if a.get("reflected") else (1.0, weight)
        left = build.operand(node, 0)
        bits = DTYPES[left.dtype].bits
        shapes, constants = [left.shape], {}
        if "scalar" in a:
            value = number(second * a["scalar"], "scalar")
            # where sub takes its second operand away, that is what the value was negated for
            integer, right_scale = _on_own_grid(-value if self.sign < 0 < first else value, bits)
            constants["scalar"] = np.array([integer], np.int16)
        else:
            right = build.operand(node, 1)
            shapes.append(right.shape)
            right_scale = _times(scale(right), second)
            bits = max(bits, DTYPES[right.dtype].bits)
        output = build.output_type(node, self.shape({}, shapes))
        scales = _times(scale(left), first), right_scale, scale(output)
        constants |= build.profile.add_constants(*scales, bits)
        attributes: dict[str, Any] = build.clamp(node, output)
        takes = self.sign < 0 if "scalar" in a else min(first, second) < 0
        if takes:
            attributes["reflected"] = first < 0
        op = "sub" if takes else "add"
        build.emit(node, op, node.inputs, output, attributes, constants)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        found = constants_of(call.profile, "add", ((1,),))
        if len(call.sources) == 1:
            found["scalar"] = Constant(
                ("int16",), ((1,),), low=-LARGEST_SCALAR, high=LARGEST_SCALAR
            )
        return found

    def signs(self, call: Call) -> tuple[int, int]:
        """Of both operands."""
        return (self.sign, 1) if call.node.attributes.get("reflected") else (1, self.sign)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        terms = [call.centred(i, x) for i, x in enumerate(operands)]
        if len(terms) == 1:
            terms.append(call.constants["scalar"].astype(np.int64))
        left, right = (sign * x for sign, x in zip(self.signs(call), terms, strict=True))
        total = call.profile.add(left, right, call.constants) + call.zero_point
        return np.clip(total, call.node.attributes["low"], call.node.attributes["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        from qflow.emulation.runtimes import _bytes
        from qflow.emulation.runtimes._blocks import blockwise

        looked_up = _bytes.of_each(call, device)
        if looked_up is not None:
            return Fast(looked_up)
        a, zero = call.node.attributes, call.zero_point
        bounds = [reach(r) for r in centred_ranges(call, ranges)]
        addend: Tensor | None = None
        if len(bounds) == 1:
            addend = torch.from_numpy(call.constants["scalar"].astype(np.float32)).to(device)
            bounds.append(int(abs(call.constants["scalar"][0])))
        limits = Limits(bounds[1], a["low"] - zero, a["high"] - zero)
        add = call.profile.fast_add(call.constants, bounds[0], limits, device)
        zeros = [call.zero(i) for i in range(len(call.sources))]
        signs = self.signs(call)

        def added(*operands: Tensor) -> Tensor:
            terms = [
                x.float() - z if z else x.float() for x, z in zip(operands, zeros, strict=True)
            ]
            terms = [*terms, addend.expand_as(terms[0])] if addend is not None else terms
            left, right = (-x if sign < 0 else x for sign, x in zip(signs, terms, strict=True))
            found = add(left, right)
            return found + zero if zero else found

        run = blockwise(added)
        return Fast(lambda *operands: run(*torch.broadcast_tensors(*operands)))


def _times(scales: np.ndarray, factor: float) -> np.ndarray:
    return (scales * np.float32(abs(factor))).astype(np.float32)


def _on_own_grid(value: float, bits: int) -> tuple[int, np.ndarray]:
    """The integer that stands for a number, and its scale: a power of two of it, so it is exact."""
    top = 1 << (bits - 2)
    step = np.array([abs(value) / top], np.float32)
    if step[0] == 0:
        return 0, np.ones(1, np.float32)
    return (top if value > 0 else -top), step
