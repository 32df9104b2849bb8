"""softmax: shares of a sum of exponents along one axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import frexp
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qflow import loops
from qflow.emulation.arrays import as_array
from qflow.emulation.builder import NoScale, scale
from qflow.emulation.gemm import FLOAT64_BITS
from qflow.emulation.op import (
    BYTES,
    CLAMP,
    Call,
    Constant,
    Example,
    Fast,
    Op,
    Range,
    Unsupported,
    form,
)
from qflow.emulation.ops import _exponents, _shares
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor, nn

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

UNIT_BITS = 20
"""Bits of 1 on the output's grid: 2^-20 of a share is a thirtieth of an int16 step."""
SHIFTS = (1, 16)
SUM_BITS = 62
"""The divisor and twice the dividend stay below this in int64."""


class Softmax(Op):
    """Attribute: dim; a negative one counts from the last axis.

    Integers: e = exp(-distance to the largest) from tables in Q0.28; with unit = 2^shift / scale
    of the output, y = floor((e * unit + half) / divisor), divisor = sum(e) << shift, half of it
    added: one exact division, half up. The error is half a step, and below 0.05 steps from `unit`
    and the tables. What is hidden by a mask gets 0 as soon as it is 20.1 below the largest.
    """

    name = "softmax"
    role = "activation"
    fields = form(**CLAMP, dim="axis")
    within: ClassVar[Mapping[str, float]] = {"int8": 0.51, "int16": 0.55}
    modules = ("torch.nn.Softmax", "torch.nn.Softmax2d")
    functions = ("torch.softmax", "torch.nn.functional.softmax", "torch.Tensor.softmax")
    examples = (
        Example(
            ((2, 3, 4),),
            {"dim": -1},
            written=(
                "torch.softmax(x, -1)",
                "F.softmax(x, dim=-1)",
                "x.softmax(-1)",
                "nn.Softmax(-1)",
            ),
        ),
        Example(((2, 3, 4, 4),), {"dim": -3}, written=("nn.Softmax2d()",)),
        Example(((2, 300),), {"dim": 1}, written=("x.softmax(1)",)),
        Example(((2, 3, 1),), {"dim": 2}, written=("x.softmax(2)",)),
    )

    def attributes_of_module(self, module: nn.Module) -> Mapping[str, Any]:
        return _along(getattr(module, "dim", -3))

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        return _along(argument(args, kwargs, 1, "dim", None))

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0].softmax(node.attributes["dim"])

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        dim = attributes["dim"]
        shares = np.exp(operands[0] - operands[0].max(dim, keepdims=True))
        return as_array(shares / shares.sum(dim, keepdims=True))

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        output = build.output_type(node, source.shape)
        dim = node.attributes["dim"] % len(source.shape)
        if dim in build.free_axes(node.inputs[0]):
            raise Unsupported(f"along axis {dim}: that is the batch, whose size is free")
        unit, shift = _unit(float(scale(output)[0]))
        if source.shape[dim] << (_exponents.FRACTION + shift + 1) >= 1 << SUM_BITS:
            raise Unsupported(f"{source.shape[dim]} exponents leave the sum")
        constants = {
            **_exponents.constants_for(source.dtype, float(scale(source)[0])),
            "unit": np.array([unit], np.int32),
            "shift": np.array([shift], np.int32),
        }
        attributes = {"dim": dim, **build.clamp(node, output)}
        build.emit(node, "softmax", node.inputs, output, attributes, constants)

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        if not attributes["dim"] < len(shapes[0]):
            raise Unsupported(f"axis {attributes['dim']} of a tensor {shapes[0]}")
        return tuple(shapes[0])

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return {
            **_exponents.roles(call.sources[0].dtype),
            "unit": Constant(("int32",), ((1,),), low=1),
            "shift": Constant(("int32",), ((1,),), low=SHIFTS[0], high=SHIFTS[1]),
        }

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, x = call.node.attributes, operands[0].astype(np.int64)
        unit, shift = (int(call.constants[n][0]) for n in ("unit", "shift"))
        distance = x.max(a["dim"], keepdims=True) - x
        exponents = _exponents.of(distance, call.constants)
        # a sum of 0 is in damaged files only
        total = np.maximum(exponents.sum(a["dim"], keepdims=True), 1)
        divisor = total << shift
        shares = (exponents * unit + divisor // 2) // divisor
        return np.clip(shares + call.zero_point, a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        from qflow.emulation.runtimes import _carried
        from qflow.emulation.runtimes._blocks import blockwise

        a, zero = call.node.attributes, call.zero_point
        unit, shift = (int(call.constants[n][0]) for n in ("unit", "shift"))
        names = _exponents.roles(call.sources[0].dtype)
        look_up = _exponents.fast({n: call.constants[n] for n in names}, device)
        most = call.sources[0].shape[a["dim"]] << _exponents.FRACTION
        largest = (unit << _exponents.FRACTION) + 2 * (most << shift)
        # floor of a rounded quotient is right while dividend and divisor together have 53 bits
        in_float = largest < 1 << FLOAT64_BITS
        carrier = "float64" if in_float else "int64"
        dtype = _carried.between(call, device)

        def run(x: Tensor) -> Tensor:
            wide = x.float()
            exponents = look_up(wide.amax(a["dim"], keepdim=True) - wide)
            total = exponents.sum(a["dim"], keepdim=True).clamp_(min=1)
            if in_float:
                divisor = total.mul_(1 << shift)
                shares = exponents.mul_(unit).add_(divisor * 0.5).div_(divisor).floor_()
            else:
                divisor = total.long() << shift
                shares = (exponents.long() * unit + (divisor >> 1)).div(
                    divisor, rounding_mode="floor"
                )
            shares = shares.add_(zero) if zero else shares
            return shares.clamp_(a["low"], a["high"]).to(dtype)

        quick = _in_one_pass(call, device) if in_float else None
        quick = quick or _shares.fast(call, run, device)
        if quick is not None:
            return Fast(quick, carrier, most)
        # blocks are slices of axis 0
        return Fast(run if a["dim"] == 0 else blockwise(run, whole=True), carrier, most)


def _in_one_pass(call: Call, device: Any) -> Callable[[Tensor], Tensor] | None:
    """Rows of bytes compiled, where their quotients are right in float64."""
    types = (call.sources[0].dtype, call.node.output.dtype)
    a, zero = call.node.attributes, call.zero_point
    along_rows = a["dim"] == len(call.sources[0].shape) - 1
    if not loops.is_there(device) or not set(types) <= set(BYTES) or not along_rows:
        return None
    import torch

    from qflow.loops import softmax as loop

    constants = loop.Constants(
        call.constants["exponents"].astype(np.int32),
        int(call.constants["unit"][0]),
        int(call.constants["shift"][0]),
        a["low"] - zero,
        a["high"] - zero,
        zero,
        getattr(torch, call.node.output.dtype),
    )
    read = getattr(torch, call.sources[0].dtype)
    return lambda x: loop.softmax(x.to(read), constants)


def _unit(step: float) -> tuple[int, int]:
    """1 on the grid of the output, as a whole number and the bits it is shifted by."""
    _, exponent = frexp(1.0 / step)
    shift = min(max(UNIT_BITS - exponent, SHIFTS[0]), SHIFTS[1])
    unit = round(2.0**shift / step)
    if not 0 < unit < 1 << 31:
        raise NoScale(f"the scale of its output, {step:.3g}, is none for shares of 1")
    return unit, shift


def _along(dim: Any) -> Mapping[str, Any]:
    if not isinstance(dim, int):
        raise Unsupported(f"dim = {dim!r}: say along which axis")
    return {"dim": dim}
