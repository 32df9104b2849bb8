"""relu6: values from zero to six, on a grid of its own when nothing absorbs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.gemm import reach
from qflow.emulation.op import CLAMP, ROUNDED, Call, Constant, Example, Fast, Op, Range
from qflow.emulation.ops import _rescaled

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Relu6(Op):
    """No attributes."""

    name = "relu6"
    role = "activation"
    modules = ("torch.nn.ReLU6",)
    functions = ("torch.nn.functional.relu6",)
    pattern_word = "relu6"
    fields = CLAMP
    any_layout = True
    within = ROUNDED
    examples = (Example(((2, 3, 4, 5),)), Example(((3, 17),)))

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import relu6

        return relu6(operands[0])

    def lower(self, node: PreparedNode, build: Builder) -> None:
        _rescaled.lower(node, build, build.operand(node, 0).shape, {})

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _rescaled.roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return _rescaled.oracle(call, operands[0])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return _rescaled.fast(call, reach(ranges[0]), device, lambda x: x)
