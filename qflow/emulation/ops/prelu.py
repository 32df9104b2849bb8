"""prelu: x above zero, a learned fraction of it below, one per channel or one for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.emulation.op import Example, Op

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Prelu(Op):
    """No attributes: the fractions are the module's weight, 0.25 where it was never trained."""

    name = "prelu"
    role = "activation"
    integer = False
    modules = ("torch.nn.PReLU",)
    functions = ("torch.nn.functional.prelu", "torch.prelu", "torch.Tensor.prelu")
    examples = (Example(((2, 3, 4, 4),), written=("nn.PReLU()", "nn.PReLU(3)")),)

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch
        from torch.nn.functional import prelu

        weight = torch.tensor([0.25]) if node.weight is None else torch.from_numpy(node.weight)
        return prelu(operands[0], weight.to(operands[0].dtype))
