"""div: by a number it is the product with the reciprocal; by a tensor it stays float."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.ops import div as general
from qflow.emulation.own.sophgo_mul32._product import Product

if TYPE_CHECKING:
    from qflow.quantization.prepared import PreparedNode


class Div(Product, general.Div):
    """Becomes a mul."""

    def number(self, node: PreparedNode) -> float:
        return 1.0 / float(node.attributes["scalar"])

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if "scalar" not in attributes or attributes.get("reflected"):
            return "only a division by a number is integer on this target"
        return "" if attributes["scalar"] else "a division by 0"
