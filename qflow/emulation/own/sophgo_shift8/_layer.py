"""What the products of BM1684 share: one shift per layer, which the weights are scaled to."""

from __future__ import annotations

import numpy as np

from qflow.emulation.builder import Builder
from qflow.emulation.op import Op, Range, Unsupported
from qflow.emulation.sophgo import layers, shift8
from qflow.emulation.sophgo.grids import target_scale
from qflow.emulation.sophgo.reading import source_scale
from qflow.quantization.prepared import PreparedNode


def lower(operator: Op, node: PreparedNode, build: Builder, widest: Range | None = None) -> None:
    """Emit the node. A layer whose weights are too large for 8 bits is Unsupported."""
    found = layers.parameters(node)
    source, target = source_scale(node, 0), target_scale(node)
    made = shift8.layer(found.weight, found.bias, source, target)
    if made.shift < 0:
        raise Unsupported("its weights are too large for a shift to the right: float32 on BM1684")
    emit(operator, node, build, made, widest)


def emit(
    operator: Op,
    node: PreparedNode,
    build: Builder,
    made: shift8.Layer,
    widest: Range | None = None,
) -> None:
    source, target = source_scale(node, 0), target_scale(node)
    step = np.full(made.bias.shape, target / (source * 2.0**made.shift))
    one = np.ones(1, np.int64)
    held = layers.Integers(made.weight, made.bias, one, one * made.shift, step)
    layers.emit(operator, node, build, held, widest)
