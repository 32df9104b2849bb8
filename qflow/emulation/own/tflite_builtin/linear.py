"""linear: FULLY_CONNECTED of the optimized kernels; a single weight scale meets float32 first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qflow.emulation.own.tflite import linear
from qflow.emulation.profile import Ratio, product32
from qflow.emulation.profiles.tflite_builtin import TfliteBuiltin

if TYPE_CHECKING:
    import numpy as np

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class ProductFirst(TfliteBuiltin):
    """The profile, with s_x * s_w rounded to float32 before it is divided by s_y.

    Source: `GetQuantizedConvolutionMultiplier` of TFLite, measured on FULLY_CONNECTED whose weights
    have one scale; those with a scale per channel keep the exact product.
    """

    def rescale_constants(self, ratio: Ratio) -> dict[str, np.ndarray]:
        return super().rescale_constants(replace(ratio, source=(product32(*ratio.source),)))


class Linear(linear.Linear):
    """As the general operator."""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        grid = node.weight_grid
        one_scale = grid is not None and grid.scale.size == 1
        if one_scale and node.out_dtype == "int8" and not node.residual:
            build = replace(build, profile=ProductFirst())
        super().lower(node, build)
