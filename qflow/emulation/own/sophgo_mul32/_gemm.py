"""What convolutions and linear layers share: weights, biases, one multiplier per channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from qflow.emulation.builder import Builder, NoScale, NotFinite
from qflow.emulation.op import Call, Constant, Unsupported
from qflow.emulation.profile import Profile
from qflow.emulation.sophgo.grids import source_scale, target_scale
from qflow.emulation.sophgo.profile import SophgoProfile
from qflow.emulation.sophgo.rescale import multiplier_and_shift, named
from qflow.emulation.sophgo.search import search32
from qflow.emulation.sophgo.weights import Weights, bias32
from qflow.quantization.prepared import PreparedNode


class HalfAway(SophgoProfile):
    """The chip's rounding of matrix products: halves go away from zero."""

    name = "sophgo.half_away"
    family = "mul32"
    rounding = "half_away"


def away(call: Call) -> Call:
    """The call with halves away from zero."""
    profile: Profile = HalfAway()
    return replace(call, profile=profile)


def check(node: PreparedNode) -> np.ndarray:
    """The float weights. Raises NoScale, NotFinite, Unsupported."""
    if node.weight is None:
        raise NoScale("it has no weight")
    if node.residual:
        raise Unsupported("an addition is an operator of its own on this target")
    for parameter in (node.weight, node.bias):
        if parameter is not None and not np.all(np.isfinite(parameter)):
            raise NotFinite("its weight or bias is not finite")
    return node.weight


def emit(
    node: PreparedNode,
    build: Builder,
    op: str,
    shape: tuple[int, ...],
    weights: Weights,
    attributes: Mapping[str, object],
) -> None:
    """One node: `sat(RSR((sum x*w + b) * m, r))`, from 0 where a relu is behind it.

    A limit of the relu (relu6) is dropped, as the compiler does: only the threshold clamps.
    """
    build.operand(node, 0)
    source = source_scale(node, 0)
    ratio = weights.scale * source / target_scale(node)
    multiplier, shift = search32(ratio)
    output = build.output_type(node, shape)
    low = 0 if node.activation is not None else build.clamp(node, output)["low"]
    constants = {
        "weight": weights.integers,
        "bias": bias32(node.bias, weights, source),
        "weight_scale": weights.scale.astype(np.float32),
        **named(multiplier, shift),
    }
    limits = {"low": low, "high": build.clamp(replace(node, activation=None), output)["high"]}
    fixed = {"accumulator_bits": build.march.accumulator_bits, "residual": False}
    build.emit(node, op, node.inputs, output, {**attributes, **fixed, **limits}, constants)


def roles(call: Call) -> dict[str, Constant]:
    weight = call.constants["weight"]
    channels = ((call.constants["bias"].size,),)
    return {
        "weight": Constant(("int8", "uint8"), (weight.shape,)),
        "bias": Constant(("int32",), channels),
        "weight_scale": Constant(("float32",), channels),
        **multiplier_and_shift(shapes=channels, least=0),
    }
