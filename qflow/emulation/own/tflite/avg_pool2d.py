"""avg_pool2d: AVERAGE_POOL_2D, the sum divided by the count, half away from zero, on one grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.dtype import DTYPES
from qflow.emulation.builder import same_grid
from qflow.emulation.op import Call, Constant, Fast, Range
from qflow.emulation.ops import avg_pool2d
from qflow.emulation.ops._window import pad_image, windows_of

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class AvgPool2d(avg_pool2d.AvgPool2d):
    """`y = trunc((sum + sign(sum) * floor(n / 2)) / n)` of the integers with their zero point.

    The output lies on the grid of the input; where the model has another one, a rescale follows.
    Padding counts, as a PAD before the pool. Source: `AveragePool` of TFLite's integer kernels,
    measured under every resolver of LiteRT, none of which gives it to XNNPACK.
    """

    keeps_type = True

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.operand(node, 0)
        output = build.output_type(node, self.shape(node.attributes, [source.shape]))
        if same_grid(source, output):
            attributes = {**node.attributes, **build.clamp(node, output)}
            build.emit(node, "avg_pool2d", node.inputs, output, attributes)
            return
        kind = DTYPES[source.dtype]
        between = replace(
            output, dtype=source.dtype, scale=source.scale, zero_point=source.zero_point
        )
        whole = {**node.attributes, "low": kind.qmin, "high": kind.qmax}
        pooled = build.emit(node, "avg_pool2d", node.inputs, between, whole, id=f"{node.id}.pool")
        constants = build.profile.requantize_constants(between, output)
        build.emit(node, "rescale", (pooled,), output, build.clamp(node, output), constants)

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return {}

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        image = pad_image(operands[0].astype(np.int64), a["padding"], call.zero(0))
        total = windows_of(image, a["kernel"], a["stride"]).sum(axis=(4, 5))
        count = prod(a["kernel"])
        mean = np.sign(total) * ((np.abs(total) + count // 2) // count)
        return np.clip(mean, a["low"], a["high"])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        from torch import copysign
        from torch.nn.functional import avg_pool2d, pad

        a = call.node.attributes
        top, left, bottom, right = a["padding"]
        count, zero = prod(a["kernel"]), call.zero(0)

        def run(x: Tensor) -> Tensor:
            image = pad(x.double(), (left, right, top, bottom), value=zero)
            total = avg_pool2d(image, a["kernel"], a["stride"], divisor_override=1)
            # a quotient of integers below 2^53 is rounded, but not past an integer
            size = total.abs().add_(count // 2).div_(count).floor_()
            return copysign(size, total).clamp_(a["low"], a["high"]).float()

        return Fast(run, "float64", max(map(abs, ranges[0])) * count)
