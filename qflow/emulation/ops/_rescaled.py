"""What operators share that sum integers of one tensor, or none, and rescale once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.diagnostics import Diagnostic
from qflow.emulation.builder import Builder, scale
from qflow.emulation.gemm import carrier_for
from qflow.emulation.op import Call, Constant, Fast, Range
from qflow.emulation.profile import Limits, Ratio, constants_of, saturate
from qflow.quantization.prepared import PreparedNode

if TYPE_CHECKING:
    from torch import Tensor

SUM_BITS = 32
"""Sums saturate as int32 does."""
TOP = (1 << (SUM_BITS - 1)) - 1


def lower(
    node: PreparedNode,
    build: Builder,
    shape: tuple[int, ...],
    attributes: Mapping[str, Any],
    count: int = 1,
    *,
    factor: float = 1.0,
    terms: int = 0,
) -> None:
    """Emit one node whose value is a sum of `terms` integers (`count` where it is 0), divided by
    `count` and multiplied by `factor`. QF507 warns where the sum may leave int32."""
    source, output = build.operand(node, 0), build.output_type(node, shape)
    ratio = Ratio((scale(source),), (scale(output),), count, factor)
    constants = build.profile.rescale_constants(ratio)
    clamp = build.clamp(node, output)
    warn_of_overflow(node, build, terms or count)
    build.emit(node, node.op, node.inputs, output, {**attributes, **clamp}, constants)


def warn_of_overflow(node: PreparedNode, build: Builder, terms: int) -> None:
    """QF507 where a sum of so many integers of the first operand may leave int32."""
    (low, high), zero = build.ranges[node.inputs[0]], build.types[node.inputs[0]].zero_point
    most = max(abs(low - zero), abs(high - zero)) * terms
    if most > TOP:
        build.diagnostics.append(
            Diagnostic(
                "QF507",
                f"`{node.address}` ({node.op}): its sum can reach {most:.4g}, "
                f"int{SUM_BITS} ends at {TOP:.4g}",
                notes=("the bound holds for any input; the emulator saturates there",),
                help="use int8 activations here",
                severity="warning",
            )
        )


def roles(call: Call) -> Mapping[str, Constant]:
    return constants_of(call.profile, "rescale", ((1,),))


def oracle(call: Call, total: np.ndarray) -> np.ndarray:
    """The output of a sum of operands whose zero points were taken away."""
    rescaled = call.profile.rescale(saturate(total, SUM_BITS), call.constants) + call.zero_point
    return np.clip(rescaled, call.node.attributes["low"], call.node.attributes["high"])


def reach(call: Call, ranges: Sequence[Range], index: int = 0) -> int:
    """Largest magnitude of an operand without its zero point."""
    low, high = ranges[index]
    return max(abs(low - call.zero(index)), abs(high - call.zero(index)))


def finish(call: Call, bound: int, device: Any, bits: int = SUM_BITS) -> Callable[[Tensor], Tensor]:
    """`oracle` in torch, of sums of magnitude `bound` at most, which saturate as so many bits."""
    from qflow.emulation.runtimes import _one_pass

    attributes, zero = call.node.attributes, call.zero_point
    top = (1 << (bits - 1)) - 1
    limits = Limits(min(bound, top + 1), attributes["low"] - zero, attributes["high"] - zero)
    found = _one_pass.finish(call, call.constants, limits, device)
    otherwise = _in_torch(call, limits, device)

    def run(total: Tensor) -> Tensor:
        held = total.clamp(-top - 1, top) if bound > top else total
        result = None if found is None else found(held)
        return otherwise(held) if result is None else result

    return run


def _in_torch(call: Call, limits: Limits, device: Any) -> Callable[[Tensor], Tensor]:
    """Of sums that saturated already."""
    from qflow.emulation.runtimes._blocks import blockwise
    from qflow.emulation.runtimes._narrow import narrow

    proved = narrow(call, limits.bound, device)
    if proved is not None:
        return blockwise(proved)
    # constants per place of an image fit the whole of it
    whole = any(constant.size > 1 for constant in call.constants.values())
    rescale = blockwise(call.profile.fast_rescale(call.constants, limits, device), whole=whole)
    zero = call.zero_point

    def run(total: Tensor) -> Tensor:
        found = rescale(total)
        return found + zero if zero else found

    return run


def fast(call: Call, bound: int, device: Any, sum_of: Callable[[Tensor], Tensor]) -> Fast:
    """`sum_of` gets the operand, without its zero point, in the carrier that holds sums up to
    `bound`."""
    import torch

    end = finish(call, bound, device)
    zero = call.zero(0)
    carrier = carrier_for(bound, device)
    dtype = getattr(torch, carrier)

    def run(x: Tensor) -> Tensor:
        wide = x.to(dtype)
        return end(sum_of(wide - zero if zero else wide))

    return Fast(run, carrier, bound)


def fast_each(
    call: Call, bound: int, device: Any, change: Callable[[Tensor], Tensor] | None = None
) -> Fast:
    """`fast` of a function of each value: from a table, or in blocks that stay in the cache."""
    from qflow.emulation.runtimes import _bytes
    from qflow.emulation.runtimes._blocks import blockwise

    looked_up = _bytes.of_each(call, device)
    if looked_up is not None:
        return Fast(looked_up)
    found = fast(call, bound, device, change or (lambda x: x))
    return replace(found, run=blockwise(found.run))
