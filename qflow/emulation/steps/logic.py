"""logic: whole numbers compared with each other or with one number; truth values joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import holds_whole_numbers, image_layout
from qflow.emulation.graph import TensorType
from qflow.emulation.op import Call, Fast, Op, Range, Unsupported, form
from qflow.emulation.ops._larger import broadcast

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode

FUNCTIONS = ("eq", "ne", "lt", "le", "gt", "ge", "and", "or")
"""`and` and `or` take what is not 0 for true."""


class Logic(Op):
    """Attributes: function, and the number where there is one operand. The result is 0 or 1.

    It makes masks of indices: `token_ids != 0`. Lowering puts it where a model has such.
    """

    name = "logic"
    role = "boundary"
    operands = (1, 2)
    fields = form(function="word", number="integer")
    reads = ("int32",)
    writes = ("int32",)

    def lower(self, node: PreparedNode, build: Builder) -> None:
        shape = self.shape(node.attributes, [build.types[i].shape for i in node.inputs])
        if not all(holds_whole_numbers(build.types[i]) for i in node.inputs):
            raise Unsupported("it takes whole numbers")
        output = TensorType("int32", shape, layout=image_layout(shape))
        build.emit(node, "logic", node.inputs, output, dict(node.attributes))

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        if attributes["function"] not in FUNCTIONS:
            raise Unsupported(f"function `{attributes['function']}` is unknown")
        return broadcast(shapes)

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return 0, 1

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        a = call.node.attributes
        left = operands[0]
        right = operands[1] if len(operands) == 2 else np.int64(a["number"])
        found: np.ndarray = {
            "eq": left == right,
            "ne": left != right,
            "lt": left < right,
            "le": left <= right,
            "gt": left > right,
            "ge": left >= right,
            "and": (left != 0) & (right != 0),
            "or": (left != 0) | (right != 0),
        }[a["function"]]
        return found.astype(np.int64)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        a = call.node.attributes
        names = {"and": torch.logical_and, "or": torch.logical_or}
        function = names.get(a["function"]) or getattr(torch, a["function"])
        number = torch.tensor(a["number"], dtype=torch.int64, device=device)

        def run(left: Tensor, right: Tensor = number) -> Tensor:
            # float32 would not hold every whole number of the other operand
            found: Tensor = function(left.long(), right.long())
            return found.to(torch.int32)

        return Fast(run)
