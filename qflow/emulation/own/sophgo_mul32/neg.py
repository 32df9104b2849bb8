"""neg: the product with -1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.emulation.ops import neg as general
from qflow.emulation.own.sophgo_mul32._product import Product

if TYPE_CHECKING:
    from qflow.quantization.prepared import PreparedNode


class Neg(Product, general.Neg):
    """Becomes a mul."""

    operands = (1, 1)

    def number(self, node: PreparedNode) -> float:
        return -1.0
