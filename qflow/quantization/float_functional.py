"""float_functional: sums, products and joins of an eager model, each a module of its own.

A functional call has no place for a scale; the method of a module has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from qflow.diagnostics import Diagnostic, fail


class FloatFunctional(nn.Module):
    """Call one of its methods, never the module, and use an instance at one place only.

    Float tensors in and out. A prepared model fake-quantizes what each method returns; what the
    operands' shapes must be is what the function of torch says.
    """

    def add(self, x: Tensor, y: Tensor) -> Tensor:
        return self.passed(torch.add(x, y))

    def add_scalar(self, x: Tensor, y: float) -> Tensor:
        return self.passed(torch.add(x, y))

    def sub(self, x: Tensor, y: Tensor) -> Tensor:
        return self.passed(torch.sub(x, y))

    def mul(self, x: Tensor, y: Tensor) -> Tensor:
        return self.passed(torch.mul(x, y))

    def mul_scalar(self, x: Tensor, y: float) -> Tensor:
        return self.passed(torch.mul(x, y))

    def cat(self, x: Sequence[Tensor], dim: int = 0) -> Tensor:
        return self.passed(torch.cat(list(x), dim))

    def matmul(self, x: Tensor, y: Tensor) -> Tensor:
        return self.passed(torch.matmul(x, y))

    def mean(self, x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        return self.passed(torch.mean(x, dim, keepdim))

    def sum(self, x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        return self.passed(torch.sum(x, dim, keepdim))

    def maximum(self, x: Tensor, y: Tensor) -> Tensor:
        return self.passed(torch.maximum(x, y))

    def minimum(self, x: Tensor, y: Tensor) -> Tensor:
        return self.passed(torch.minimum(x, y))

    def add_relu(self, x: Tensor, y: Tensor) -> Tensor:
        return self.passed(relu(torch.add(x, y)))

    def passed(self, y: Tensor) -> Tensor:
        """The result as it is; a prepared model puts its fake-quantizer here."""
        return y

    def forward(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises QflowError QF264: it is a place for results, and no function."""
        raise fail(
            Diagnostic(
                "QF264",
                "FloatFunctional was called as a module",
                help="call the method that is meant: `self.add.add(x, y)`",
            )
        )


# the name scripts of the field know it by, which is also how a trace recognizes it
FloatFunctional.__module__ = "qflow.nn.quantized"
