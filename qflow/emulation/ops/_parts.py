"""What chunk, split and unbind share: a tensor cut into parts along one axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qflow.emulation.op import Op

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Parts(Op):
    """Attributes: dim (not negative), sizes of the parts. The result is a tuple."""

    role = "shape"
    integer = False
    shares_scale = True

    def meaning(self, node: PreparedNode, *operands: Tensor) -> tuple[Tensor, ...]:
        return tuple(operands[0].split(list(node.attributes["sizes"]), node.attributes["dim"]))


def equal_parts(length: int, size: int) -> tuple[int, ...]:
    """`length` in parts of `size`, the last one smaller where it does not fit."""
    whole, rest = divmod(length, size)
    return (size,) * whole + ((rest,) if rest else ())
