"""maximum: the larger of two tensors, value by value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.emulation.op import Example, Op

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Maximum(Op):
    """No attributes; the operands keep their grids, the result has its own."""

    name = "maximum"
    role = "elementwise"
    integer = False
    operands = (2, 2)
    functions = ("torch.maximum", "torch.Tensor.maximum", "torch.fmax", "torch.Tensor.fmax")
    examples = (
        Example(((2, 3), (2, 3)), written=("torch.maximum(x, y)", "x.maximum(y)")),
        Example(((2, 3, 4), (3, 1)), written=("torch.maximum(x, y)",)),
    )

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        return torch.maximum(operands[0], operands[1])
