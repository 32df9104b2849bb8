"""grids: fake-quantizers replaced by plain operators that compute the same, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from qflow.quantization import FakeQuantize
from qflow.quantization.quantized import Quantized

_PASSES = "_output_passes"
_ROUND: Mapping[str, Callable[[Tensor], Tensor]] = {
    "half_even": torch.round,
    "half_up": lambda v: torch.floor(v + 0.5),
    "half_away": lambda v: torch.floor(torch.abs(v) + 0.5) * torch.sign(v),
}
_INTEGER = {8: torch.int8, 16: torch.int16}
"""Type of an integer by the bits it needs at least; 4 bits lie in 8."""


class OnGrid(nn.Module):
    """Quantize and dequantize: x / scale, rounded, clamped, as integers; times scale."""

    observing = quantizing = False
    """What a module with a fake-quantizer asks it."""

    scale: Tensor

    def __init__(self, grid: FakeQuantize) -> None:
        super().__init__()
        self.register_buffer("scale", grid.scale.detach().clone())
        self.axis = grid.axis
        self.low, self.high = grid.grid.qmin, grid.grid.qmax
        self.integer = _integer(self.low, self.high)
        self.rounding = grid.rounding

    def forward(self, x: Tensor, overwrite: bool = False) -> Tensor:
        scale = self._shaped(x)
        steps = _ROUND[self.rounding](x / scale)
        integers = torch.clamp(steps, self.low, self.high).to(self.integer)
        return integers.to(x.dtype) * scale

    def _shaped(self, x: Tensor) -> Tensor:
        if self.axis is None:
            return self.scale if x.dim() else self.scale.reshape([])
        axis = self.axis % x.dim()
        return self.scale.reshape([-1 if d == axis else 1 for d in range(x.dim())])


def written_out(module: nn.Module) -> nn.Module:
    """The module with every fake-quantizer replaced, in place; one that two share stays one."""
    found: dict[int, OnGrid] = {}
    for owner in list(module.modules()):
        for name, child in list(owner.named_children()):
            if isinstance(child, FakeQuantize):
                setattr(owner, name, _of(child, found))
        passes: Any = vars(owner).get(_PASSES)
        if isinstance(owner, Quantized) and passes and isinstance(passes[0], FakeQuantize):
            vars(owner)[_PASSES] = (_of(passes[0], found),)
    return module


def _of(grid: FakeQuantize, found: dict[int, OnGrid]) -> OnGrid:
    return found.setdefault(id(grid), OnGrid(grid))


def _integer(low: int, high: int) -> torch.dtype:
    bits = next((b for b in _INTEGER if -(1 << (b - 1)) <= low and high < 1 << (b - 1)), None)
    return torch.int32 if bits is None else _INTEGER[bits]
