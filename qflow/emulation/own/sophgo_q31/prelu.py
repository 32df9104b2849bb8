"""prelu: of CV18xx; slopes of 8 bits with one shift, and a multiplier for what lies above zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qflow.emulation.op import Unsupported
from qflow.emulation.ops.prelu import Prelu as General
from qflow.emulation.own.sophgo_q31._sided import Sided
from qflow.emulation.sophgo import q31
from qflow.emulation.sophgo.grids import source_scale, target_scale
from qflow.emulation.sophgo.reading import finite

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

NEVER_TRAINED = 0.25


class Prelu(Sided, General):
    def lower(self, node: PreparedNode, build: Builder) -> None:
        given = finite(node.weight, "weight")
        slope = np.array([NEVER_TRAINED]) if given is None else given.reshape(-1)
        channels = build.operand(node, 0).shape[1]
        if slope.size not in (1, channels):
            raise Unsupported(f"{slope.size} slopes for {channels} channels")
        made = q31.slopes(slope, source_scale(node, 0), target_scale(node))
        self.emit(node, build, made.positive, made.slope, made.shift)
        build.notes.append(
            f"{node.id}: the compiled model overwrites its operand; "
            "other readers of it differ on the chip"
        )
