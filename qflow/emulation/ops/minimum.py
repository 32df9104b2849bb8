"""minimum: the smaller of two tensors, value by value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.emulation.op import Example, Op

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Minimum(Op):
    """No attributes; the operands keep their grids, the result has its own."""

    name = "minimum"
    role = "elementwise"
    integer = False
    operands = (2, 2)
    functions = ("torch.minimum", "torch.Tensor.minimum", "torch.fmin", "torch.Tensor.fmin")
    examples = (
        Example(((2, 3), (2, 3)), written=("torch.minimum(x, y)", "x.minimum(y)")),
        Example(((2, 3, 4), (3, 1)), written=("torch.minimum(x, y)",)),
    )

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        return torch.minimum(operands[0], operands[1])
