"""functions: a module for each function that eager models need as one, because it has a scale.

Graph modes find functions by themselves; eager quantization sees modules only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

_PACKAGE = "qflow.nn"

_UNARY: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "Acos": (torch.acos, "The angle whose cosine is x."),
    "Acosh": (torch.acosh, "The inverse hyperbolic cosine of x."),
    "Asin": (torch.asin, "The angle whose sine is x."),
    "Asinh": (torch.asinh, "The inverse hyperbolic sine of x."),
    "Atan": (torch.atan, "The angle whose tangent is x."),
    "Atanh": (torch.atanh, "The inverse hyperbolic tangent of x."),
    "Ceil": (torch.ceil, "The smallest whole number that is not below x."),
    "Cos": (torch.cos, "The cosine of x."),
    "Cosh": (torch.cosh, "The hyperbolic cosine of x."),
    "Erf": (torch.erf, "The error function of x."),
    "Exp": (torch.exp, "e to the power of x."),
    "Floor": (torch.floor, "The largest whole number that is not above x."),
    "HardLog": (torch.log, "The natural logarithm of x, under the field's name."),
    "Log": (torch.log, "The natural logarithm of x."),
    "Reciprocal": (torch.reciprocal, "1 / x."),
    "Rsqrt": (torch.rsqrt, "1 / sqrt(x)."),
    "Selu": (torch.selu, "The scaled exponential linear unit of x."),
    "Sin": (torch.sin, "The sine of x."),
    "Sinh": (torch.sinh, "The hyperbolic sine of x."),
    "Sqrt": (torch.sqrt, "The square root of x."),
    "Tan": (torch.tan, "The tangent of x."),
}
_BINARY: dict[str, tuple[Callable[[Any, Any], Tensor], str]] = {
    "Div": (torch.div, "x / y, of two tensors that broadcast, or of a tensor and a number."),
    "Pow": (torch.pow, "x ** y, of two tensors that broadcast, or of a tensor and a number."),
}


class Function(nn.Module):
    """A module that calls one function and has no state."""

    function: Callable[..., Tensor]


class Unary(Function):
    """A function of one tensor; the result has its shape and dtype."""

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Binary(Function):
    """A function of two operands, at least one of them a tensor."""

    def forward(self, x: Tensor, y: Tensor | float) -> Tensor:
        return self.function(x, y)


class Interpolate(nn.Module):
    """`torch.nn.functional.interpolate` of [N, C, H, W] with its settings; float32 in and out."""

    def __init__(
        self,
        size: int | tuple[int, int] | None = None,
        scale_factor: float | tuple[float, float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
        antialias: bool = False,
    ) -> None:
        super().__init__()
        self.size = size
        self.scale_factor = scale_factor
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor
        self.antialias = antialias

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.interpolate(
            x,
            self.size,  # type: ignore[arg-type]
            self.scale_factor,  # type: ignore[arg-type]
            self.mode,
            self.align_corners,
            self.recompute_scale_factor,
            self.antialias,
        )

    def extra_repr(self) -> str:
        size = f"scale_factor={self.scale_factor}" if self.size is None else f"size={self.size}"
        return f"{size}, mode={self.mode}"


def _made(name: str, base: type, function: Callable[..., Tensor], says: str) -> type[Any]:
    fields = {"__doc__": says, "__module__": _PACKAGE, "function": staticmethod(function)}
    return type(name, (base,), fields)


Interpolate.__module__ = _PACKAGE
MODULES: dict[str, type[nn.Module]] = {
    **{name: _made(name, Unary, *entry) for name, entry in _UNARY.items()},
    **{name: _made(name, Binary, *entry) for name, entry in _BINARY.items()},
    "Interpolate": Interpolate,
}
"""Every module form by its class name."""
