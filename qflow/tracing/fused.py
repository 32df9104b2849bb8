"""fused: a convolution or linear that adds a residual and applies an activation itself."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from qflow.tracing.folding import Parameters, fold
from qflow.tracing.recast import recast

ENTRANCE = "_entrance"


class Fused:
    """What all of them have in common. `activation` is `relu`, `relu6` or None."""

    activation: str | None
    weight: nn.Parameter
    bias: nn.Parameter | None
    stands_for: type[nn.Module]
    """The class of the convolution or linear it was made of."""

    def forward(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        return self.finish(self.product(x, self.effective_weight(), self.bias), residual)

    def add(self, x: Tensor, residual: Tensor) -> Tensor:
        """As a fused module at the place of a FloatFunctional is called: `x` is the gemm's.

        In eager models the gemm's own place lets its input pass and notes it: QF266 when that is
        the second operand.
        """
        entrance = vars(self).get(ENTRANCE)
        if entrance is not None:
            entrance.check(x, residual)
        return self(x, residual)  # type: ignore[operator,no-any-return]

    def product(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The convolution or matrix product alone."""
        raise NotImplementedError

    def parameters_folded(self) -> Parameters | tuple[Tensor, None]:
        """Weight and bias with any batch norm in them, before the weight is quantized."""
        return (self.weight, self.bias)  # type: ignore[return-value]

    def effective_weight(self) -> Tensor:
        """The weight that is used, in evaluation."""
        return self.rounded(self.parameters_folded()[0])

    def rounded(self, weight: Tensor) -> Tensor:
        """The weight as it is; quantization puts its own rounding in place."""
        return weight

    def finish(self, y: Tensor, residual: Tensor | None) -> Tensor:
        # in place: what a gemm or a sum has just made belongs to nobody else, and no gradient of
        # theirs needs it
        if residual is not None:
            alike = residual.shape == y.shape and residual.dtype == y.dtype
            y = y.add_(residual) if alike else y + residual
        if self.activation == "relu":
            return functional.relu_(y)
        if self.activation == "relu6":
            return functional.relu6(y, inplace=True)
        return y


class _Conv(Fused):
    def product(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return self._conv_forward(x, weight, bias)  # type: ignore[attr-defined,no-any-return]


class FusedConv1d(_Conv, nn.Conv1d):
    """conv1d [+ bn] [+ add] [+ relu | relu6] as one module, batch norm folded in."""

    stands_for = nn.Conv1d


class FusedConv2d(_Conv, nn.Conv2d):
    """conv2d [+ bn] [+ add] [+ relu | relu6] as one module, batch norm folded in."""

    stands_for = nn.Conv2d


class FusedConv3d(_Conv, nn.Conv3d):
    """conv3d [+ bn] [+ add] [+ relu | relu6] as one module, batch norm folded in."""

    stands_for = nn.Conv3d


class FusedConvTranspose2d(Fused, nn.ConvTranspose2d):
    """A transposed convolution [+ bn] [+ add] [+ relu | relu6], batch norm folded in."""

    stands_for = nn.ConvTranspose2d

    def product(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        sides = (self.stride, self.padding, self.output_padding, self.groups, self.dilation)
        return functional.conv_transpose2d(x, weight, bias, *sides)


class FusedLinear(Fused, nn.Linear):
    """linear [+ bn] [+ add] [+ relu | relu6] as one module, batch norm folded in."""

    stands_for = nn.Linear

    def product(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return functional.linear(x, weight, bias)


CLASSES: dict[type, Any] = {
    nn.Conv1d: FusedConv1d,
    nn.Conv2d: FusedConv2d,
    nn.Conv3d: FusedConv3d,
    nn.ConvTranspose2d: FusedConvTranspose2d,
    nn.Linear: FusedLinear,
}
"""Class of a model to its fused form."""


def fused(gemm: nn.Module, bn: nn.Module | None = None, activation: str | None = None) -> nn.Module:
    """The fused form of a convolution or linear, batch norm folded; `gemm` is left as it is."""
    made: nn.Module = recast(gemm, CLASSES[type(gemm)], activation=activation)
    if bn is not None:
        take(made, fold(gemm, bn, bn.running_mean, bn.running_var))
        keep_eps(made, bn)
    return made


def keep_eps(made: Any, bn: Any) -> None:
    """Note how the batch norm was folded, so that a float checkpoint can be folded likewise."""
    made.folded_eps = bn.eps


def take(gemm: Any, parameters: Parameters) -> None:
    """Give a module other weights; frozen ones stay frozen."""
    weight, bias = parameters
    trains = gemm.weight.requires_grad
    gemm.weight = nn.Parameter(weight.detach(), trains)
    gemm.bias = nn.Parameter(bias.detach(), trains)


def weight_axis(module: nn.Module) -> int:
    """The axis of the weight along which the output channels lie: 1 where it is transposed."""
    return 1 if getattr(module, "transposed", False) else 0
