"""How a convolution or linear layer of BM1684 or CV18xx becomes an integer node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qflow.emulation.builder import Builder
from qflow.emulation.op import Op, Range, Unsupported
from qflow.emulation.sophgo.reading import clamp, finite, integers, no_residual, required
from qflow.quantization.prepared import PreparedNode

BITS = 32
"""Of the accumulator."""


@dataclass(frozen=True)
class Integers:
    """What a node stores, the output channels first."""

    weight: np.ndarray
    bias: np.ndarray
    multiplier: np.ndarray
    shift: np.ndarray
    weight_scale: np.ndarray
    """Real value of a weight's step, [channels]; 1 where every weight is 0."""


@dataclass(frozen=True)
class Parameters:
    """The float parameters of a layer, the output channels first."""

    weight: np.ndarray
    """[channels, ...]"""
    bias: np.ndarray | None


def parameters(node: PreparedNode) -> Parameters:
    """Raises Unsupported, NotFinite."""
    no_residual(node)
    if "padding_mode" in node.attributes:
        raise Unsupported("only zeros lie around an image on this target")
    weight = required(node.weight, "weight")
    if node.op.startswith("conv_transpose"):
        weight = channels_first(weight, int(node.attributes["groups"]))
    return Parameters(weight, finite(node.bias, "bias"))


def channels_first(weight: np.ndarray, groups: int) -> np.ndarray:
    """[in, out / groups, ...] of a transposed convolution as [out, in / groups, ...]."""
    inputs, each, *kernel = weight.shape
    blocks = weight.reshape(groups, inputs // groups, each, *kernel).swapaxes(1, 2)
    return blocks.reshape(groups * each, inputs // groups, *kernel)


def emit(
    operator: Op,
    node: PreparedNode,
    build: Builder,
    made: Integers,
    widest: Range | None = None,
) -> None:
    """One node of the operator's general form. `widest` narrows what its clamp may let through."""
    weight = made.weight.astype(np.int8)
    source = build.operand(node, 0).shape
    output = build.output_type(node, operator.shape(node.attributes, [source], weight.shape))
    low, high = clamp(node, output)
    if widest is not None:
        low, high = max(low, widest[0]), min(high, widest[1])
    own = {"accumulator_bits": BITS, "residual": False, "low": low, "high": high}
    constants: Mapping[str, np.ndarray] = {
        "weight": weight,
        "bias": integers(made.bias),
        "weight_scale": made.weight_scale.astype(np.float32),
        "multiplier": integers(made.multiplier),
        "shift": integers(made.shift),
    }
    build.emit(node, node.op, node.inputs, output, {**node.attributes, **own}, constants)
