"""mul: one 8-bit multiplier for the product."""

from __future__ import annotations

from qflow.emulation.ops import mul as general
from qflow.emulation.own.sophgo_mul32._product import Product


class Mul(Product, general.Mul):
    """Two tensors, a tensor and a constant tensor, or a tensor and a number."""
