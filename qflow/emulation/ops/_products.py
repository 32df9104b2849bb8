"""What products of two activations share: the accumulator, its bound, and one rescale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.diagnostics import Diagnostic
from qflow.emulation.builder import Builder, image_layout, scale
from qflow.emulation.gemm import carrier_for
from qflow.emulation.graph import TensorType
from qflow.emulation.op import CLAMP, MOVED, Call, Constant, Fast, FieldKind, Range, form
from qflow.emulation.ops import _rescaled
from qflow.emulation.ops._rescaled import reach
from qflow.emulation.profile import Ratio, constants_of, product32, saturate
from qflow.quantization.prepared import PreparedNode

if TYPE_CHECKING:
    from torch import Tensor

FIELDS: Mapping[str, FieldKind] = dict(CLAMP, **form(accumulator_bits="bits"))
WRITES = MOVED
"""Dtypes of the output: those of activations, and the accumulator's."""


def lower(
    node: PreparedNode,
    build: Builder,
    shape: tuple[int, ...],
    attributes: Mapping[str, Any],
    count: int,
) -> None:
    """Emit one node; each value of its accumulator is the sum of `count` products."""
    left, right = build.operand(node, 0), build.operand(node, 1)
    sources = (scale(left), scale(right))
    bits = build.march.accumulator_bits
    top = (1 << (bits - 1)) - 1
    if node.out_dtype == "int32":
        layout = image_layout(shape)
        output = TensorType("int32", shape, product32(*sources), layout=layout)
        constants, limits = {}, {"low": -top - 1, "high": top}
    else:
        output = build.output_type(node, shape)
        constants = build.profile.rescale_constants(Ratio(sources, (scale(output),)))
        limits = build.clamp(node, output)
    attributes = {**attributes, **limits, "accumulator_bits": bits}
    build.emit(node, node.op, node.inputs, output, attributes, constants)
    most = _of_one_row(build, node.inputs[0], count) * _reach(build, node.inputs[1])
    if most > top:
        build.diagnostics.append(
            Diagnostic(
                "QF507",
                f"`{node.address}` ({node.op}): its accumulator can reach {most:.4g}, "
                f"int{bits} ends at {top:.4g}",
                notes=("the bound holds for any input; the emulator saturates there",),
                help="use int8 activations here",
                severity="warning",
            )
        )


def _reach(build: Builder, name: str) -> int:
    (low, high), zero = build.ranges[name], build.types[name].zero_point
    return max(abs(low - zero), abs(high - zero))


def _of_one_row(build: Builder, name: str, count: int) -> int:
    """Largest sum of the magnitudes of `count` values; the shares of a softmax add up to 1."""
    most = count * _reach(build, name)
    made = next((n for n in reversed(build.nodes) if n.id == name), None)
    if made is None or made.op != "softmax" or made.attributes["dim"] != len(made.output.shape) - 1:
        return most
    # each is rounded by half a step at most
    whole = int(np.ceil(1.0 / float(scale(made.output)[0]))) + 1
    return min(most, whole + count)


def roles(call: Call) -> Mapping[str, Constant]:
    if call.node.output.dtype == "int32":
        return {}
    return constants_of(call.profile, "rescale", ((1,),))


def oracle(call: Call, total: np.ndarray) -> np.ndarray:
    """The output of the products of operands whose zero points were taken away."""
    a = call.node.attributes
    acc = saturate(total, a["accumulator_bits"])
    if call.node.output.dtype == "int32":
        return np.clip(acc, a["low"], a["high"])
    rescaled = call.profile.rescale(acc, call.constants) + call.zero_point
    return np.clip(rescaled, a["low"], a["high"])


def fast(
    call: Call,
    ranges: Sequence[Range],
    device: Any,
    count: int,
    multiply: Callable[[Tensor, Tensor], Tensor],
) -> Fast:
    """`multiply` sums `count` products, exactly as long as its dtype holds every partial sum."""
    import torch

    a = call.node.attributes
    most = count * reach(call, ranges, 0) * reach(call, ranges, 1)
    top = (1 << (a["accumulator_bits"] - 1)) - 1
    carrier = carrier_for(most, device)
    dtype = getattr(torch, carrier)
    zeros = call.zero(0), call.zero(1)

    def wide(x: Tensor, zero_in: int) -> Tensor:
        found = x.to(dtype)
        return found - zero_in if zero_in else found

    def accumulated(left: Tensor, right: Tensor) -> Tensor:
        return multiply(wide(left, zeros[0]), wide(right, zeros[1]))

    if call.node.output.dtype == "int32":
        # a clamp that leaves out all that can occur gives its own end, which may need more bits
        beyond = a["low"] > most or a["high"] < -most

        def kept(left: Tensor, right: Tensor) -> Tensor:
            acc = accumulated(left, right)
            held = acc.clamp_(-top - 1, top) if most > top else acc
            return (held.double() if beyond else held).clamp_(a["low"], a["high"])

        return Fast(kept, carrier, most)
    end = _rescaled.finish(call, most, device, a["accumulator_bits"])
    return Fast(lambda x, y: end(accumulated(x, y)), carrier, most)


def values(call: Call, ranges: Sequence[Range], count: int) -> Range:
    """Range of the output: its clamp, and of a kept accumulator what the operands allow."""
    low, high = call.node.attributes["low"], call.node.attributes["high"]
    if call.node.output.dtype != "int32":
        return low, high
    most = count * reach(call, ranges, 0) * reach(call, ranges, 1)
    return max(-most, low), min(most, high)
