"""networks: what the forward benchmark runs, each with its input and its prepared form."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

PIPELINES = Path(__file__).parents[1] / "pipelines"


@dataclass(frozen=True)
class Network:
    name: str
    build: Callable[[], nn.Module]
    images: Callable[[int], Tensor]
    """float32 [N, C, H, W] for a batch of N."""


def digits() -> Network:
    """The network and the held-out images of the example."""
    _see_pipelines()
    from digits.data import validation
    from digits.model import digits_net
    from safetensors.torch import load_file

    def build() -> nn.Module:
        model = digits_net()
        model.load_state_dict(load_file(PIPELINES / "digits" / "digits.safetensors"))
        return model.eval()

    return Network("digits", build, lambda count: validation().images[:count])


def residual_stack(size: int = 56) -> Network:
    """The first half of a ResNet-18 behind its stem: 64 channels, then 128 at half the size."""
    _see_pipelines()
    from digits.model import ResidualBlock

    from qflow.quantization import DeQuantStub, QuantStub

    def build() -> nn.Module:
        torch.manual_seed(0)
        blocks = (ResidualBlock(64, 64), ResidualBlock(64, 64))
        narrow = (ResidualBlock(64, 128, stride=2), ResidualBlock(128, 128))
        return nn.Sequential(QuantStub(), *blocks, *narrow, DeQuantStub()).eval()

    def images(count: int) -> Tensor:
        made = torch.Generator().manual_seed(1)
        return torch.randn(count, 64, size, size, generator=made)

    return Network(f"residual blocks, 64 channels of {size}x{size}", build, images)


def _see_pipelines() -> None:
    if str(PIPELINES) not in sys.path:
        sys.path.insert(0, str(PIPELINES))
