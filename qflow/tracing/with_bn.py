"""with_bn: fused modules that keep their batch norm while they are trained, as the child `bn`.

State-dict names are those of the fused module, `<at>.weight`, and those of the batch norm,
`<at>.bn.running_var`. In evaluation both kinds compute the folded module, to the bit.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from qflow.tracing.folding import Parameters, along_outputs, factor_of, fold
from qflow.tracing.fused import (
    FusedConv1d,
    FusedConv2d,
    FusedConv3d,
    FusedConvTranspose2d,
    FusedLinear,
    keep_eps,
    take,
)
from qflow.tracing.recast import recast


class WithBN:
    """Folds the statistics of the batch while it trains (Krishnamoorthi 2018, section 3.2.2).

    Training: y = conv(x, q(w * gamma / sigma_batch)) + beta + (b - mean_batch) * gamma /
    sigma_batch, where the statistics are those of conv(x, w) + b. Evaluation, or a batch norm that
    is frozen by `bn.eval()`: the same with the running statistics. What is folded for good is what
    evaluation computes, not what the last batch of training did. Statistics are those of this
    process: under distributed training use the reverse fold with SyncBatchNorm.
    """

    bn: Any

    def forward(self: Any, x: Tensor, residual: Tensor | None = None) -> Tensor:
        if self.bn.training:
            return self.finish(self.trained(x), residual)  # type: ignore[no-any-return]
        weight, bias = self.parameters_folded()
        return self.finish(self.product(x, self.rounded(weight), bias), residual)  # type: ignore[no-any-return]

    def parameters_folded(self) -> Parameters:
        return fold(self, self.bn, self.bn.running_mean, self.bn.running_var)

    def trained(self: Any, x: Tensor) -> Tensor:
        plain = self.product(x, self.weight, self.bias)
        with torch.no_grad():
            self.bn(plain)  # moves the running statistics
        samples = [d for d in range(plain.dim()) if d != 1]
        mean, var = plain.mean(samples), plain.var(samples, unbiased=False)
        weight, bias = fold(self, self.bn, mean, var)
        return self.product(x, self.rounded(weight), bias)  # type: ignore[no-any-return]


class WithBNReverseFold(WithBN):
    """Folds the running statistics always, and takes them out again behind the convolution.

    Training: y = bn(conv(x, q(w * f)) / f + b) with f = gamma / sigma_running, where `bn` is the
    true batch norm with the statistics of its batch. The weights are on the grid that the folded
    module has, so folding for good changes nothing. A channel with gamma = 0 is not scaled.
    """

    def trained(self: Any, x: Tensor) -> Tensor:
        factor = factor_of(self.bn, self.bn.running_var)
        factor = factor.where(factor != 0, torch.ones_like(factor))
        weight = (self.weight.double() * along_outputs(self, factor)).to(self.weight.dtype)
        y = self.product(x, self.rounded(weight), None)
        view = [-1 if d == 1 else 1 for d in range(y.dim())]
        y = y / factor.to(y.dtype).reshape(view)
        if self.bias is not None:
            y = y + self.bias.reshape(view)
        return self.bn(y)  # type: ignore[no-any-return]


class FusedConv1dWithBN(WithBN, FusedConv1d):
    """See WithBN."""


class FusedConv2dWithBN(WithBN, FusedConv2d):
    """See WithBN."""


class FusedConv3dWithBN(WithBN, FusedConv3d):
    """See WithBN."""


class FusedConvTranspose2dWithBN(WithBN, FusedConvTranspose2d):
    """See WithBN."""


class FusedLinearWithBN(WithBN, FusedLinear):
    """See WithBN."""


class FusedConv1dWithBNReverseFold(WithBNReverseFold, FusedConv1d):
    """See WithBNReverseFold."""


class FusedConv2dWithBNReverseFold(WithBNReverseFold, FusedConv2d):
    """See WithBNReverseFold."""


class FusedConv3dWithBNReverseFold(WithBNReverseFold, FusedConv3d):
    """See WithBNReverseFold."""


class FusedConvTranspose2dWithBNReverseFold(WithBNReverseFold, FusedConvTranspose2d):
    """See WithBNReverseFold."""


class FusedLinearWithBNReverseFold(WithBNReverseFold, FusedLinear):
    """See WithBNReverseFold."""


_KINDS: dict[str, dict[type, Any]] = {
    "with_bn": {
        nn.Conv1d: FusedConv1dWithBN,
        nn.Conv2d: FusedConv2dWithBN,
        nn.Conv3d: FusedConv3dWithBN,
        nn.ConvTranspose2d: FusedConvTranspose2dWithBN,
        nn.Linear: FusedLinearWithBN,
    },
    "with_bn_reverse_fold": {
        nn.Conv1d: FusedConv1dWithBNReverseFold,
        nn.Conv2d: FusedConv2dWithBNReverseFold,
        nn.Conv3d: FusedConv3dWithBNReverseFold,
        nn.ConvTranspose2d: FusedConvTranspose2dWithBNReverseFold,
        nn.Linear: FusedLinearWithBNReverseFold,
    },
}
MODES = ("fuse_bn", *_KINDS)
"""What becomes of a batch norm behind a convolution or linear; the first is the usual one."""


def fused_with_bn(mode: str, gemm: nn.Module, bn: nn.Module, activation: str | None) -> nn.Module:
    """The fused form that keeps its batch norm; parameters and statistics are shared."""
    made: nn.Module = recast(gemm, _KINDS[mode][type(gemm)], activation=activation)
    made.add_module("bn", bn)
    return made


def folded(module: Any, cls: type[Any]) -> nn.Module:
    """A module that keeps its batch norm, as `cls`, in which it is folded for good."""
    made: Any = recast(module, cls)
    keep_eps(made, module.bn)
    del made._modules["bn"]
    take(made, module.parameters_folded())
    return made  # type: ignore[no-any-return]


def plain_class(cls: type) -> type[Any]:
    """The class of `cls` without its batch norm."""
    found: type[Any] = cls.__bases__[-1]
    return found
