"""where: values of one tensor or number where a mask is true, of another where it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op, Unsupported

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Where(Op):
    """Attributes: yes, no, the numbers; None where it is a tensor. Operands: mask, tensors."""

    name = "where"
    role = "elementwise"
    integer = False
    operands = (2, 3)
    functions = ("torch.where",)
    examples = (
        Example(
            ((2, 3), (2, 3), (2, 3)),
            {"yes": None, "no": None},
            written=("torch.where(x, y, z)",),
            kinds=("mask", "float", "float"),
        ),
        Example(
            ((2, 3), (2, 3)),
            {"yes": None, "no": 0.0},
            written=("torch.where(x, y, 0.0)",),
            kinds=("mask", "float"),
        ),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        given = [*args[1:], *(kwargs[n] for n in ("input", "self", "other") if n in kwargs)]
        if len(given) != 2 or len(shapes) != 1 + given.count(None):
            raise Unsupported(
                "it takes a mask of truth values, then what to take where it is true "
                "and what where it is not"
            )
        return {"yes": given[0], "no": given[1]}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        mask, *tensors = operands
        a = node.attributes
        yes = tensors.pop(0) if a["yes"] is None else a["yes"]
        no = tensors.pop(0) if a["no"] is None else a["no"]
        return torch.where(mask, yes, no)
