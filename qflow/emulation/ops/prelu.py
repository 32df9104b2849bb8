"""prelu: x above zero, a learned fraction of it below, one per channel or one for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qflow.emulation.builder import NotFinite
from qflow.emulation.op import (
    CLAMP,
    ROUNDED,
    Call,
    Constant,
    Example,
    Fast,
    Op,
    Range,
    Unsupported,
)
from qflow.emulation.ops import _slopes
from qflow.emulation.ops._arithmetic import number

if TYPE_CHECKING:
    from torch import Tensor

    from qflow.emulation.builder import Builder
    from qflow.quantization.prepared import PreparedNode


class Prelu(Op):
    """No attributes: the fractions are the module's weight, 0.25 where it was never trained."""

    name = "prelu"
    role = "activation"
    fields = CLAMP
    image = True
    within = ROUNDED
    modules = ("torch.nn.PReLU",)
    functions = ("torch.nn.functional.prelu", "torch.prelu", "torch.Tensor.prelu")
    examples = (
        Example(((2, 3, 4, 4),), weight=(1,), written=("nn.PReLU()", "nn.PReLU(3)")),
        Example(((2, 3, 4, 4),), weight=(3,)),
        Example(((4, 5),), weight=(5,)),
    )

    def meaning(self, node: PreparedNode, *operands: Tensor) -> Tensor:
        import torch
        from torch.nn.functional import prelu

        return prelu(operands[0], torch.from_numpy(_slopes_of(node.weight)).to(operands[0].dtype))

    def real(
        self,
        attributes: Mapping[str, Any],
        *operands: np.ndarray,
        weight: np.ndarray | None = None,
        bias: np.ndarray | None = None,
    ) -> np.ndarray:
        x = operands[0]
        view = (-1,) + (1,) * max(x.ndim - 2, 0)
        return np.where(x > 0, x, x * _slopes_of(weight).astype(np.float64).reshape(view))

    def lower(self, node: PreparedNode, build: Builder) -> None:
        slopes = _slopes_of(node.weight).astype(np.float64)
        if not np.all(np.isfinite(slopes)):
            raise NotFinite("its weight is not finite")
        shape = build.operand(node, 0).shape
        if slopes.ndim != 1 or (slopes.size > 1 and (len(shape) < 2 or shape[1] != slopes.size)):
            raise Unsupported(f"fractions {slopes.shape} for a tensor {shape}: one per channel")
        _slopes.lower(node, build, np.array([number(s, "weight") for s in slopes.tolist()]))

    def roles(self, call: Call) -> Mapping[str, Constant]:
        return _slopes.roles(call)

    def oracle(self, call: Call, *operands: np.ndarray) -> np.ndarray:
        return _slopes.oracle(call, operands[0])

    def fast(self, call: Call, ranges: Sequence[Range], device: Any) -> Fast:
        return _slopes.fast(call, ranges, device)


def _slopes_of(weight: np.ndarray | None) -> np.ndarray:
    return np.array([0.25], np.float32) if weight is None else weight
