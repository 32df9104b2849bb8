"""The same weights in every run, whatever ran before, and stubs around a whole network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from qflow.quantization import DeQuantStub, QuantStub


def seeded(build: Callable[[], nn.Module]) -> nn.Module:
    """A model in evaluation mode; its norms have statistics as if it had been trained."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build()
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
    return model.eval()


def image(*shape: int) -> Tensor:
    """Values as of a normalized image."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def numbers(top: int, *shape: int) -> Tensor:
    """Whole numbers from 0 to below `top`, as of a tokenizer."""
    return torch.randint(0, top, shape, generator=torch.Generator().manual_seed(2))


class Stubbed(nn.Module):
    """One tensor in, one tensor out, with the stubs around the whole network."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.quant = QuantStub()
        self.body = body
        self.dequant = DeQuantStub()

    def forward(self, x: Tensor) -> Tensor:
        return self.dequant(self.body(self.quant(x)))


def stubbed(body: nn.Module) -> nn.Module:
    return Stubbed(body).eval()
