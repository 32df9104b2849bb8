"""fused: a convolution or linear that adds a residual and applies an activation itself."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from qflow.tracing.recast import recast


class _Fused:
    """What both have in common. `activation` is `relu`, `relu6` or None."""

    activation: str | None
    weight: nn.Parameter

    def effective_weight(self) -> Tensor:
        """The weight that is used; quantization puts its own in place."""
        return self.weight

    def finish(self, y: Tensor, residual: Tensor | None) -> Tensor:
        if residual is not None:
            y = y + residual
        if self.activation == "relu":
            return functional.relu(y)
        if self.activation == "relu6":
            return functional.relu6(y)
        return y


class FusedConv2d(_Fused, nn.Conv2d):
    """conv [+ bn] [+ add] [+ relu | relu6] as one module, batch norm folded in."""

    def forward(self, x: Tensor, residual: Tensor | None = None) -> Tensor:  # type: ignore[override]
        return self.finish(self._conv_forward(x, self.effective_weight(), self.bias), residual)


class FusedLinear(_Fused, nn.Linear):
    """linear [+ bn] [+ add] [+ relu | relu6] as one module, batch norm folded in."""

    def forward(self, x: Tensor, residual: Tensor | None = None) -> Tensor:  # type: ignore[override]
        y = functional.linear(x, self.effective_weight(), self.bias)
        return self.finish(y, residual)


CLASSES: dict[type, Any] = {nn.Conv2d: FusedConv2d, nn.Linear: FusedLinear}


def fused(gemm: nn.Module, bn: nn.Module | None = None, activation: str | None = None) -> nn.Module:
    """The fused form of a convolution or linear; `gemm` itself is left as it is."""
    made: nn.Module = recast(gemm, CLASSES[type(gemm)], activation=activation)
    if bn is not None:
        _fold(made, deepcopy(bn))
    return made


def _fold(gemm: Any, bn: Any) -> None:
    """w * gamma / sqrt(var + eps) and its bias, in float64 so that only one rounding is left."""
    weight = gemm.weight.detach().double()
    zeros = torch.zeros(weight.shape[0], dtype=torch.float64, device=weight.device)
    bias = zeros if gemm.bias is None else gemm.bias.detach().double()
    gamma = zeros + 1 if bn.weight is None else bn.weight.detach().double()
    beta = zeros if bn.bias is None else bn.bias.detach().double()
    factor = gamma / torch.sqrt(bn.running_var.double() + bn.eps)
    shaped = factor.reshape(-1, *[1] * (weight.dim() - 1))
    trains = gemm.weight.requires_grad
    gemm.weight = nn.Parameter((weight * shaped).float(), trains)
    gemm.bias = nn.Parameter(((bias - bn.running_mean.double()) * factor + beta).float(), trains)
