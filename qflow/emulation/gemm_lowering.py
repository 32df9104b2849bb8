"""How conv2d and linear become integer nodes: weights, bias, constants of the rescale."""

from __future__ import annotations

import numpy as np

from qflow.diagnostics import Diagnostic
from qflow.emulation.builder import (
    Builder,
    NoScale,
    NotFinite,
    check_grid,
    image_layout,
    scale,
)
from qflow.emulation.gemm import bound, reach
from qflow.emulation.graph import TensorType
from qflow.emulation.op import Range, Unsupported
from qflow.emulation.profile import Constants, Ratio, product32
from qflow.emulation.rounding import ROUNDINGS, to_grid
from qflow.quantization.prepared import PreparedNode

STORED = {"int4": "int8", "int8": "int8", "int16": "int16"}
"""Dtypes of weights, and the integers that hold them in a graph."""


def lower(node: PreparedNode, build: Builder, shape: tuple[int, ...], axis: int) -> None:
    """Emit one node. `shape` and `axis` are the output's, `axis` its channels."""
    source = build.operand(node, 0)
    weight, weight_scale = _weight(node, build)
    accumulator_scale = product32(scale(source), weight_scale)
    if not np.all(np.isfinite(accumulator_scale)) or np.any(accumulator_scale <= 0):
        raise NoScale("the scale of its accumulator, input times weight, leaves float32")
    rounding = build.rounding(node, node.weight_grid)
    bias = _bias(node, build, scale(source), weight_scale, rounding)
    kept = node.out_dtype == "int32"
    if kept:
        output = TensorType("int32", shape, accumulator_scale, 0, axis, image_layout(shape))
    else:
        output = build.output_type(node, shape)
    constants = {"weight": weight, "bias": bias, "weight_scale": weight_scale}
    constants |= _rescale_constants(node, build, source, weight_scale, output)
    attributes = dict(node.attributes) | {
        "accumulator_bits": build.march.accumulator_bits,
        "residual": node.residual,
    }
    limits = _kept_clamp(node, build) if kept else build.clamp(node, output)
    if kept and node.activation == "relu6":
        six = np.full(accumulator_scale.shape, 6.0, np.float32)
        constants["high"] = to_grid(six, accumulator_scale, rounding, 0, limits["high"])
        constants["high"] = constants["high"].astype(np.int32)
    name = build.emit(node, node.op, node.inputs, output, attributes | limits, constants)
    if node.weight_grid is not None and node.weight_grid.dtype.name == "int4":
        build.bits[f"{name}.weight"] = node.weight_grid.dtype.bits
    _warn_of_overflow(node, build, constants)


def _weight(node: PreparedNode, build: Builder) -> tuple[np.ndarray, np.ndarray]:
    """Integer weights and their scale per channel, float32 [channels]; int4 ones lie in int8."""
    if node.weight is None or node.weight_grid is None:
        raise NoScale("its weight has no grid")
    if not np.all(np.isfinite(node.weight)):
        raise NotFinite("its weight is not finite")
    grid = node.weight_grid
    dtype = check_grid(grid, "weight")
    if grid.zero_point != 0:
        raise Unsupported(f"its weight has zero point {grid.zero_point}: weights are symmetric")
    channels = node.weight.shape[0]
    if dtype.name not in STORED:
        raise Unsupported(f"{dtype} weights: {', '.join(STORED)}")
    if grid.scale.size not in (1, channels) or grid.axis not in (None, 0):
        raise Unsupported("its weight's scales do not lie along the output channels")
    per_channel = np.broadcast_to(grid.scale.reshape(-1), (channels,)).astype(np.float32)
    view = (channels,) + (1,) * (node.weight.ndim - 1)
    rounding = build.rounding(node, grid)
    integers = to_grid(node.weight, per_channel.reshape(view), rounding, dtype.qmin, dtype.qmax)
    return integers.astype(STORED[dtype.name]), per_channel


def _bias(
    node: PreparedNode,
    build: Builder,
    source: np.ndarray,
    weight_scale: np.ndarray,
    rounding: str,
) -> np.ndarray:
    """int32 [channels] at the accumulator's scale; QF506 where it needs more bits."""
    if node.bias is None:
        return np.zeros(weight_scale.shape, np.int32)
    if not np.all(np.isfinite(node.bias)):
        raise NotFinite("its bias is not finite")
    step = source.astype(np.float64) * weight_scale.astype(np.float64)
    integers = ROUNDINGS[rounding](node.bias.astype(np.float64) / step)
    bits = build.march.bias_bits
    fits = np.abs(integers) <= (1 << (bits - 1)) - 1
    if not fits.all():
        worst = int(np.argmax(np.abs(integers)))
        build.diagnostics.append(
            Diagnostic(
                "QF506",
                f"`{node.address}` ({node.op}): the bias of channel {worst} is "
                f"{abs(float(node.bias[worst])):.3g}, more than int{bits} holds at scale "
                f"{float(step[worst]):.3g}",
                help="use int8 weights or activations here, or a larger scale for that channel",
            )
        )
        integers = np.where(fits, integers, 0)
    return integers.astype(np.int32)


def _rescale_constants(
    node: PreparedNode,
    build: Builder,
    source: TensorType,
    weight_scale: np.ndarray,
    output: TensorType,
) -> dict[str, np.ndarray]:
    kept = output.dtype == "int32"
    gemm = Ratio((scale(source), weight_scale), () if kept else (scale(output),))
    if not node.residual:
        return {} if kept else build.profile.rescale_constants(gemm)
    residual = build.operand(node, len(node.inputs) - 1)
    if residual.shape != output.shape:
        raise Unsupported(f"it adds a tensor {residual.shape} to one of {output.shape}")
    if kept:
        return build.profile.kept_residual_constants(gemm, scale(residual))
    return build.profile.residual_constants(gemm, scale(residual))


def _kept_clamp(node: PreparedNode, build: Builder) -> dict[str, int]:
    top = (1 << (build.march.accumulator_bits - 1)) - 1
    if node.activation not in (None, "relu", "relu6"):
        raise Unsupported(f"`{node.activation}` cannot run behind it")
    return {"low": -top - 1 if node.activation is None else 0, "high": top}


def _warn_of_overflow(node: PreparedNode, build: Builder, constants: Constants) -> None:
    emitted = build.nodes[-1]
    source, *added = (_centred(build, i) for i in emitted.inputs)
    most = bound(constants["weight"], constants["bias"], reach(source))
    if node.residual:
        most += build.profile.residual_bound(constants, reach(added[-1]))
    bits = build.march.accumulator_bits
    if most > (1 << (bits - 1)) - 1:
        build.diagnostics.append(
            Diagnostic(
                "QF507",
                f"`{node.address}` ({node.op}): its accumulator can reach {most:.4g}, "
                f"int{bits} ends at {(1 << (bits - 1)) - 1:.4g}",
                notes=("the bound holds for any input; the emulator saturates there",),
                help="use int8 weights or activations here",
                severity="warning",
            )
        )


def _centred(build: Builder, name: str) -> Range:
    """Range of a tensor without its zero point."""
    (low, high), zero = build.ranges[name], build.types[name].zero_point
    return low - zero, high - zero
