"""folding: a batch norm as factor and shift of the convolution or linear before it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

Parameters = tuple[Tensor, Tensor]
"""Weight and bias."""


def fold(gemm: Any, bn: Any, mean: Tensor, var: Tensor) -> Parameters:
    """w * gamma / sqrt(var + eps) and (b - mean) * gamma / sqrt(var + eps) + beta.

    Computed in float64, so that one rounding is left; gradients pass. `mean` and `var` are
    [channels]: running statistics, or those of a batch.
    """
    factor = factor_of(bn, var)
    weight = gemm.weight.double() * along_outputs(gemm, factor)
    zero = torch.zeros_like(factor)
    bias = zero if gemm.bias is None else gemm.bias.double()
    beta = zero if bn.bias is None else bn.bias.double()
    shifted = (bias - mean.double()) * factor + beta
    return weight.to(gemm.weight.dtype), shifted.to(gemm.weight.dtype)


def factor_of(bn: Any, var: Tensor) -> Tensor:
    """gamma / sqrt(var + eps), float64 [channels]."""
    gamma = torch.ones_like(var) if bn.weight is None else bn.weight
    return gamma.double() / torch.sqrt(var.double() + bn.eps)


def alone(bn: Any) -> Parameters:
    """Factor and shift of a batch norm by its running statistics, float64 [channels]."""
    factor = factor_of(bn, bn.running_var)
    shift = -bn.running_mean.double() * factor
    return factor, shift if bn.bias is None else shift + bn.bias.double()


def along_outputs(gemm: Any, factor: Tensor) -> Tensor:
    """[channels] in a shape that broadcasts against the weight along its output channels.

    A transposed convolution has the weight [in, out / groups, ...]: each group of inputs meets the
    outputs of its own group.
    """
    dims = [1] * (gemm.weight.dim() - 2)
    if not getattr(gemm, "transposed", False):
        return factor.reshape(-1, 1, *dims)
    inner, outer = gemm.weight.shape[:2]
    grouped = factor.reshape(gemm.groups, 1, outer)
    return grouped.expand(-1, inner // gemm.groups, -1).reshape(inner, outer, *dims)
