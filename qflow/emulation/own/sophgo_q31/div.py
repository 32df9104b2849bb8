"""div: by a number, or of a number, a table on CV18xx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.builder import Builder
from qflow.emulation.op import Unsupported
from qflow.emulation.ops.div import Div as General
from qflow.emulation.own.sophgo import lookup
from qflow.quantization.prepared import PreparedNode


class Div(General):
    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        number = "scalar" in attributes and not attributes.get("reflected")
        return "" if number else "only a division by a number is a table on CV18xx"

    def lower(self, node: PreparedNode, build: Builder) -> None:
        divisor = float(node.attributes["scalar"])
        if divisor == 0:
            raise Unsupported("it divides by 0")
        lookup.lower(node, build, lambda x: x / divisor)
