"""add: the sum of two tensors of one shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.op import Op, Unsupported


class Add(Op):
    """No attributes."""

    name = "add"
    role = "elementwise"
    functions = (
        "operator.add",
        "operator.iadd",
        "torch.add",
        "torch.Tensor.add",
        "torch.Tensor.add_",
        "torch.Tensor.__add__",
        "torch.Tensor.__iadd__",
    )
    pattern_word = "add"

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        if kwargs.get("alpha", 1) != 1:
            raise Unsupported(f"alpha = {kwargs['alpha']!r}: multiply before the sum instead")
        if len(shapes) != 2:
            raise Unsupported("one operand is a number: only two tensors can be added")
        if tuple(shapes[0]) != tuple(shapes[1]):
            raise Unsupported(f"shapes {tuple(shapes[0])} and {tuple(shapes[1])} must be equal")
        return {}
