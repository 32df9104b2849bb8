"""quant: floats come onto the grid by one float32 product."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.op import Unsupported
from qflow.emulation.ops import quant as general
from qflow.emulation.sophgo.grids import target_scale
from qflow.emulation.sophgo.rounding import reciprocal32

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Quant(general.Quant):
    """Emits a quantize that holds `float32(1 / scale)`."""

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.types[node.inputs[0]]
        if source.scale is not None:
            raise Unsupported(f"it reads {source.dtype}: it turns float32 into integers")
        output = build.output_type(node, source.shape, source.layout)
        dtype = DTYPES[output.dtype]
        factor = np.atleast_1d(reciprocal32(np.float64(target_scale(node))))
        build.emit(
            node,
            "quantize",
            node.inputs,
            output,
            {"low": dtype.qmin, "high": dtype.qmax},
            {"factor": factor},
        )
