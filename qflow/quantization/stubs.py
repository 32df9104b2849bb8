"""Stubs: where a model enters and leaves the quantized region. In float they do nothing."""

from __future__ import annotations

from torch import Tensor, nn


class QuantStub(nn.Module):
    """Put one before the first operator, one per float input."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class DeQuantStub(nn.Module):
    """Put one behind the last operator, one per output."""

    def forward(self, x: Tensor) -> Tensor:
        return x
