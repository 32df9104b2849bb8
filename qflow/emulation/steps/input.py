"""input: a tensor as the model takes it: floats, or whole numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.diagnostics import Diagnostic, QflowError, fail
from qflow.emulation.op import Call, Fast, Op, Range, Unsupported

if TYPE_CHECKING:
    from torch import Tensor

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
        given = operands[0]
        if call.node.output.dtype == "int32" and given.dtype != bool:
            inside = (given >= WHOLE[0]) & (given <= WHOLE[1])
            if not np.all(inside & (given == np.floor(given))):
                raise _no_whole_number(call)
        return given.astype(call.node.output.dtype)

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        import torch

        dtype = getattr(torch, call.node.output.dtype)

        def run(x: Tensor) -> Tensor:
            if dtype is torch.int32 and (x.is_floating_point() or x.dtype is torch.int64):
                wide = x.double()
                fits = (wide >= WHOLE[0]) & (wide <= WHOLE[1]) & (wide == wide.floor())
                if not fits.all():
                    raise _no_whole_number(call)
            return x.to(dtype)

        return Fast(run)


def _no_whole_number(call: Call) -> QflowError:
    return fail(
        Diagnostic(
            "QF313",
            f"input `{call.node.address}` takes whole numbers of 32 bits, and was given others",
            help="hand over the indices or the mask as the float model takes them",
        )
    )
