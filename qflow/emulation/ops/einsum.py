"""einsum: sums of products over named axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qflow.emulation.op import Example, Op, Unsupported

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.quantization.prepared import PreparedNode


class Einsum(Op):
    """Attribute: equation, without blanks."""

    name = "einsum"
    role = "gemm"
    integer = False
    operands = (1, 1 << 16)
    functions = ("torch.einsum",)
    examples = (
        Example(
            ((2, 3, 4), (2, 5, 4)),
            {"equation": "bic,bjc->bij"},
            written=(
                "torch.einsum('bic,bjc->bij', x, y)",
                "torch.einsum('bic, bjc -> bij', [x, y])",
            ),
        ),
    )

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        equation = args[0] if args else kwargs.get("equation")
        if not isinstance(equation, str):
            raise Unsupported("axes given as lists of numbers: write the equation as text")
        return {"equation": equation.replace(" ", "")}

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch

        return torch.einsum(node.attributes["equation"], *operands)
