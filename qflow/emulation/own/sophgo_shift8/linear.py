"""linear: of BM1684 on two axes; int8 weights and int16 bias at the accumulator's one shift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.builder import Builder
from qflow.emulation.ops.linear import Linear as General
from qflow.emulation.own.sophgo_shift8 import _layer
from qflow.emulation.sophgo import layers, shift8
from qflow.emulation.sophgo.grids import target_scale
from qflow.emulation.sophgo.reading import source_scale
from qflow.quantization.prepared import PreparedNode


class Linear(General):
    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if len(shapes[0]) != 2:
            return f"a linear layer on {len(shapes[0])} axes: float32 on BM1684"
        return super().float_only(attributes, shapes)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        found = layers.parameters(node)
        source, target = source_scale(node, 0), target_scale(node)
        made = shift8.layer(found.weight, found.bias, source, target, least=0)
        _layer.emit(self, node, build, made)
