"""leaky_relu: x above zero, a fraction of it below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import CLAMP, ROUNDED, Call, Constant, Example, Fast, Op, Range
from qflow.emulation.ops import _slopes
from qflow.emulation.ops._arithmetic import number
from qflow.emulation.ops._unary import Shaped

if TYPE_CHECKING:
    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class LeakyRelu(Shaped):
    """Attribute: negative_slope."""

    name = "leaky_relu"
    modules = ("torch.nn.LeakyReLU",)
    functions = ("torch.nn.functional.leaky_relu",)
    function = "nn.functional.leaky_relu"
    settings = (("negative_slope", 0.01),)
    fields = CLAMP
    within = ROUNDED
    examples = (
        Example(
            ((2, 3, 5),), {"negative_slope": 0.01}, written=("F.leaky_relu(x)", "nn.LeakyReLU()")
        ),
        Example(
            ((2, 3, 5),),
            {"negative_slope": 0.1},
            written=(
                "F.leaky_relu(x, 0.1, inplace=True)",
                "F.leaky_relu(x, negative_slope=0.1)",
                "nn.LeakyReLU(0.1)",
            ),
        ),
    )

    def formula(self, x: np.ndarray, *, negative_slope: float) -> np.ndarray:
        return np.where(x > 0, x, x * negative_slope)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        slope = number(node.attributes["negative_slope"], "negative_slope")
        _slopes.lower(node, build, np.array([slope]))

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _slopes.roles(call)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return Op.values(self, call, ranges)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return _slopes.oracle(call, operands[0])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return _slopes.fast(call, ranges, device)
