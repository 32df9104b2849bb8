"""div: of BM1684 by a number; a product with its reciprocal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.builder import Builder
from qflow.emulation.op import Unsupported
from qflow.emulation.ops.div import Div as General
from qflow.emulation.own.sophgo_shift8._factor import lower_factor
from qflow.quantization.prepared import PreparedNode


class Div(General):
    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if "scalar" not in attributes or attributes.get("reflected"):
            return "only a division by a number is a product on BM1684"
        return ""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        divisor = float(node.attributes["scalar"])
        if divisor == 0:
            raise Unsupported("it divides by 0")
        lower_factor(node, build, 1.0 / divisor)
