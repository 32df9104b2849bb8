"""What the products of CV18xx share: a 31-bit multiplier below one per channel or layer."""

from __future__ import annotations

import numpy as np

from qflow.emulation.builder import Builder
from qflow.emulation.op import Op
from qflow.emulation.sophgo import layers, q31
from qflow.emulation.sophgo.grids import source_scale, target_scale
from qflow.quantization.prepared import PreparedNode


def lower(operator: Op, node: PreparedNode, build: Builder, per_channel: bool = True) -> None:
    """Emit the node."""
    found = layers.parameters(node)
    source, target = source_scale(node, 0), target_scale(node)
    made = q31.layer(found.weight, found.bias, source, target, per_channel)
    step = np.ldexp(made.multiplier.astype(np.float64), -made.shift - 31) * target / source
    step = np.broadcast_to(np.where(made.multiplier == 0, 1.0, step), made.bias.shape)
    held = layers.Integers(made.weight, made.bias, made.multiplier, made.shift, step)
    layers.emit(operator, node, build, held)
