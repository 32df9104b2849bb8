"""identity: the same values; dropout outside of training is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.op import EXACT, Call, Example, Fast, Op, Range, Unsupported
from qflow.emulation.ops._window import argument

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Identity(Op):
    """No attributes."""

    name = "identity"
    role = "shape"
    modules = (
        "torch.nn.Identity",
        "torch.nn.Dropout",
        "torch.nn.Dropout1d",
        "torch.nn.Dropout2d",
        "torch.nn.Dropout3d",
        "torch.nn.AlphaDropout",
        "torch.nn.FeatureAlphaDropout",
    )
    functions = ("torch.nn.functional.dropout", "torch.nn.functional.dropout2d")
    shares_scale = True
    rearranges = True
    any_layout = True
    within = EXACT
    examples = (Example(((2, 3, 4, 5),)),)

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        if argument(args, kwargs, 2, "training", True):
            raise Unsupported("dropout with training = True drops at inference: pass self.training")
        return {}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0]

    def lower(self, node: PreparedNode, build: Builder) -> None:
        source = build.types[node.inputs[0]]
        if source.dtype == "int32":  # a kept accumulator on its way to the dequantize
            build.emit(node, "identity", node.inputs, source)
            return
        name = build.on_grid(node, 0)
        build.emit(node, "identity", (name,), build.types[name])

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return operands[0]

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return Fast(lambda x: x)
