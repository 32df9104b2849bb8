"""leaky_relu: of 8 bits the table that onnxruntime makes: the same operations on floats."""

from __future__ import annotations

from qflow.emulation.own.onnxruntime import leaky_relu


class LeakyRelu(leaky_relu.LeakyRelu):
    """As there."""
