"""leaky_relu: x above zero, RSR(x*m, r) below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.op import CLAMP, Call, Constant, Fast, Range
from qflow.emulation.ops import leaky_relu as general
from qflow.emulation.own.sophgo._operands import reach
from qflow.emulation.profile import Limits
from qflow.emulation.sophgo.rescale import fast_rescale, multiplier_and_shift, named, rescaled
from qflow.emulation.sophgo.search import search8

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class LeakyRelu(general.LeakyRelu):
    """Attributes: low, high. Input and output lie on one grid; halves go up."""

    fields = CLAMP
    keeps_type = True

    def lower(self, node: PreparedNode, build: Builder) -> None:
        output = build.output_type(node, build.operand(node, 0).shape)
        kind = DTYPES[output.dtype]
        pair = search8(float(node.attributes["negative_slope"]))
        attributes = {"low": kind.qmin, "high": kind.qmax}
        build.emit(node, "leaky_relu", node.inputs, output, attributes, named(*pair))

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return multiplier_and_shift()

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a, c, x = call.node.attributes, call.constants, operands[0].astype(np.int64)
        below = rescaled(x, c["multiplier"], c["shift"], "half_up")
        return np.clip(np.where(x >= 0, x, below), a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a, c = call.node.attributes, call.constants
        clamp = Limits(reach(ranges[0]), a["low"], a["high"])
        below = fast_rescale(c["multiplier"], c["shift"], "half_up", clamp, device)

        def run(x: Tensor) -> Tensor:
            real = x.float()
            found = torch.where(real >= 0, real, below(real))
            return found.clamp_(a["low"], a["high"])

        return Fast(run)
