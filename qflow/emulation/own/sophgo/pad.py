"""pad: filled with `round_away(v / S)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.ops import _codes
from qflow.emulation.ops import pad as general
from qflow.emulation.sophgo.grids import target_scale
from qflow.emulation.sophgo.rounding import round_away

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Pad(general.Pad):
    """As the general operator; the quotient is one of float64."""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        a = node.attributes
        output = build.output_type(node, self.shape(a, [build.operand(node, 0).shape]))
        kind = DTYPES[output.dtype]
        whole = round_away(np.float64(a["value"]) / target_scale(node))
        filled = _codes.constant(int(np.clip(whole, kind.qmin, kind.qmax)), output)
        fields = {n: a[n] for n in ("sides", "mode")}
        build.emit(node, "pad", node.inputs, output, fields, {"value": filled})
