"""input: a tensor as the model takes it: floats, or whole numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qflow.emulation.op import Call, Fast, Op, Range, Unsupported

WHOLE = (-(1 << 31), (1 << 31) - 1)
"""Range of the whole numbers a tensor holds."""


class Input(Op):
    """No attributes, no operands: the runtime gives the value."""

    name = "input"
    role = "boundary"
    operands = (0, 0)
    reads = ()
    writes = ("float32", "int32")

    def shape(
        self,
        attributes: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        weight: tuple[int, ...] = (),
    ) -> tuple[int, ...]:
        raise Unsupported("the shape of an input is declared, not computed")

    def values(self, call: Call, ranges: Sequence[Range]) -> Range:
        return WHOLE if call.node.output.dtype == "int32" else (0, 0)  # floats are no integers

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return operands[0].astype(call.node.output.dtype)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        dtype = getattr(torch, call.node.output.dtype)
        return Fast(lambda x: x.to(dtype))
