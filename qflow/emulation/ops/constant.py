"""constant: a float tensor of the model itself that enters the quantized part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.emulation.op import Example, Op

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Constant(Op):
    """No attributes: as a quant stub does, it puts a tensor (a position embedding) on a grid.

    It stands in no model: tracing puts it where an operator reads such a tensor.
    """

    name = "constant"
    role = "boundary"
    integer = False
    examples = (Example(((1, 3, 4),)),)

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        return operands[0]
