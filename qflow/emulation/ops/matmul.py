"""matmul: the matrix product of two activations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.emulation.op import Example, Op

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Matmul(Op):
    """No attributes; leading axes broadcast as in torch."""

    name = "matmul"
    role = "gemm"
    integer = False
    operands = (2, 2)
    functions = (
        "operator.matmul",
        "torch.matmul",
        "torch.bmm",
        "torch.mm",
        "torch.Tensor.matmul",
        "torch.Tensor.bmm",
        "torch.Tensor.mm",
        "torch.Tensor.__matmul__",
        "torch.Tensor.__rmatmul__",
    )
    examples = (
        Example(((2, 3, 4, 5), (2, 3, 5, 6)), written=("x @ y", "torch.matmul(x, y)")),
        Example(((2, 4, 5), (2, 5, 3)), written=("torch.bmm(x, y)", "x.bmm(y)")),
    )

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0] @ operands[1]
