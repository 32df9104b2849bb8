"""What operators share that sum integers of one tensor, or none, and rescale once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import Builder, scale
from qflow.emulation.gemm import carrier_for
from qflow.emulation.op import Call, Constant, Fast, Range
from qflow.emulation.profile import Limits, Ratio, constants_of
from qflow.quantization.prepared import PreparedNode

if TYPE_CHECKING:
    from torch import Tensor


def lower(
    node: PreparedNode,
    build: Builder,
    shape: tuple[int, ...],
    attributes: Mapping[str, Any],
    count: int = 1,
) -> None:
    """Emit one node whose value is a sum of `count` integers, to be divided by their number."""
    source, output = build.operand(node, 0), build.output_type(node, shape)
    constants = build.profile.rescale_constants(Ratio((scale(source),), (scale(output),), count))
    clamp = build.clamp(node, output)
    build.emit(node, node.op, node.inputs, output, {**attributes, **clamp}, constants)


def roles(call: Call) -> Mapping[str, Constant]:
    return constants_of(call.profile, "rescale", ((1,),))


def oracle(call: Call, total: np.ndarray) -> np.ndarray:
    """The output of a sum of operands whose zero points were taken away."""
    rescaled = call.profile.rescale(total, call.constants) + call.zero_point
    return np.clip(rescaled, call.node.attributes["low"], call.node.attributes["high"])


def reach(call: Call, ranges: Sequence[Range], index: int = 0) -> int:
    """Largest magnitude of an operand without its zero point."""
    low, high = ranges[index]
    return max(abs(low - call.zero(index)), abs(high - call.zero(index)))


def fast(call: Call, bound: int, device: Any, sum_of: Callable[[Tensor], Tensor]) -> Fast:
    """`sum_of` gets the operand, without its zero point, in the carrier that holds sums up to
    `bound`."""
    import torch

    from qflow.emulation.runtimes._blocks import blockwise

    attributes = call.node.attributes
    zero_in, zero = call.zero(0), call.zero_point
    limits = Limits(bound, attributes["low"] - zero, attributes["high"] - zero)
    rescale = blockwise(call.profile.fast_rescale(call.constants, limits, device))
    carrier = carrier_for(bound, device)
    dtype = getattr(torch, carrier)

    def run(x: Tensor) -> Tensor:
        wide = x.to(dtype)
        found = rescale(sum_of(wide - zero_in if zero_in else wide))
        return found + zero if zero else found

    return Fast(run, carrier, bound)
