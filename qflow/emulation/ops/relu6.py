"""relu6: values from zero to six, on a grid of its own when nothing absorbs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.ops._activation import Activation

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Relu6(Activation):
    """No attributes."""

    name = "relu6"
    modules = ("torch.nn.ReLU6",)
    functions = ("torch.nn.functional.relu6",)
    pattern_word = "relu6"

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        from torch.nn.functional import relu6

        return relu6(operands[0])

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        return np.clip(operands[0], 0, 6)
