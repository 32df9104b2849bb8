"""div: the quotient of a dequantized tensor and a number, quantized."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.ops import div
from qflow.emulation.ops._arithmetic import number
from qflow.emulation.own.onnx_qdq import _by_number

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Div(div.Div):
    """`y = half_even(float32((x - zp_x) * s_x) / number / s_y) + zp_y`, each in float32.

    Source: Div of ONNX between DequantizeLinear and QuantizeLinear. The rest is as the general
    operator.
    """

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if not _by_number.applies(node, build):
            super().lower(node, build)
            return
        number(1 / node.attributes["scalar"], "1 / scalar")
        by = np.float32(node.attributes["scalar"])
        _by_number.lower(node, build, lambda real: real / by)
