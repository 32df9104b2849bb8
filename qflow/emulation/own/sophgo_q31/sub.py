"""sub: of two tensors on CV18xx; one rounding for the difference. A number minus it is a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.ops.sub import Sub as General
from qflow.emulation.own.sophgo import lookup
from qflow.emulation.own.sophgo_q31._joint import Joint

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Sub(Joint, General):
    signs = (1, -1)

    def float_only(self, attributes: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> str:
        if "scalar" in attributes and attributes.get("reflected"):
            return ""
        return super().float_only(attributes, shapes)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if "scalar" in node.attributes:
            number = float(node.attributes["scalar"])
            return lookup.lower(node, build, lambda x: number - x)
        super().lower(node, build)
