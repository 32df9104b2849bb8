"""leaky_relu: of CV18xx; both sides have a multiplier of 8 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.ops.leaky_relu import LeakyRelu as General
from qflow.emulation.own.sophgo_q31._sided import Sided
from qflow.emulation.sophgo import q31
from qflow.emulation.sophgo.grids import source_scale, target_scale

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class LeakyRelu(Sided, General):
    def lower(self, node: PreparedNode, build: Builder) -> None:
        slope = float(node.attributes["negative_slope"])
        made = q31.leaky(slope, source_scale(node, 0), target_scale(node))
        self.emit(node, build, made.positive, np.array(made.negative[0]), made.negative[1])
