"""linear: a matrix product with constant weights over the last axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qflow.emulation.op import Op, Unsupported


class Linear(Op):
    """No attributes."""

    name = "linear"
    role = "gemm"
    modules = ("torch.nn.Linear",)
    functions = ("torch.nn.functional.linear",)
    pattern_word = "linear"

    def attributes_of_call(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]
    ) -> Mapping[str, Any]:
        raise Unsupported("a functional linear has no place for its weight's scale: use nn.Linear")
