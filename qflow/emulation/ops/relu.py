"""relu: zero and what lies above it, on a grid of its own when nothing absorbs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.ops._activation import Activation

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Relu(Activation):
    """No attributes."""

    name = "relu"
    modules = ("torch.nn.ReLU",)
    functions = (
        "torch.nn.functional.relu",
        "torch.relu",
        "torch.Tensor.relu",
        "torch.relu_",
        "torch.Tensor.relu_",
    )
    pattern_word = "relu"

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import relu

        return relu(operands[0])

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        return np.maximum(operands[0], 0)
