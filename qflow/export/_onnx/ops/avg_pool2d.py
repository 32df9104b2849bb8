"""avg_pool2d: AveragePool that counts padding, then the output's grid."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.builder import scale
from qflow.emulation.profile import Ratio, profile
from qflow.export._onnx import attributes
from qflow.export._onnx.emit import refused

if TYPE_CHECKING:
    from qflow.emulation.graph import IntegerGraph, Node
    from qflow.export._onnx.emit import Context


class AvgPool2d:
    def emit(self, node: Node, context: Context) -> None:
        if not _divides_by_its_window(node, context.graph):
            raise refused(node, "windows have other divisors than their size")
        builder = context.builder
        window = attributes.window(node).onnx()
        # dilation is an attribute of AveragePool only since opset 19, and never used here
        del window["dilations"]
        x = builder.real(node.inputs[0])
        real = builder.step("AveragePool", (x,), f"{node.id}/mean", count_include_pad=1, **window)
        builder.quantize(node.id, real, node.output)


def _divides_by_its_window(node: Node, graph: IntegerGraph) -> bool:
    """Whether the rescale is that of the mean of a whole window, everywhere."""
    source, count = graph.by_id[node.inputs[0]].output, prod(node.attributes["kernel"])
    ratio = Ratio((scale(source),), (scale(node.output),), count)
    expected = profile(graph.profile).rescale_constants(ratio)
    found = {role: graph.constants[key] for role, key in node.constants.items()}
    return all(np.array_equal(found[r], expected[r]) for r in expected if r in found)
