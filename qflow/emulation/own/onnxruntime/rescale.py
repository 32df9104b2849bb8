"""rescale: QLinearConcat and pairs of DequantizeLinear and QuantizeLinear, which divide."""

from __future__ import annotations

from qflow.emulation.own.onnxruntime._floats import Dequantized
from qflow.emulation.steps import rescale


class Rescale(Dequantized, rescale.Rescale):
    """As the general step."""
