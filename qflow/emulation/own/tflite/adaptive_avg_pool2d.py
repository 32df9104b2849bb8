"""adaptive_avg_pool2d: the mean of a whole image, as MEAN over its rows and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.emulation.op import Unsupported
from qflow.emulation.ops import adaptive_avg_pool2d
from qflow.emulation.own.tflite._mean import Mean

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class AdaptiveAvgPool2d(Mean, adaptive_avg_pool2d.AdaptiveAvgPool2d):
    """As the general operator, of whole images only."""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        if "size" in node.attributes:
            raise Unsupported(f"size = {node.attributes['size']}: TFLite has means of whole images")
        super().lower(node, build)
