"""vit: as vision transformers are: patches, a class token, positions, multi-head attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.networks import _seeded


class Attention(nn.Module):
    """Written out, as in most repositories of this kind."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.num_heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        qkv = self.qkv(x).reshape(batch, length, 3, self.num_heads, width // self.num_heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        x = functional.scaled_dot_product_attention(query, key, value)
        x = x.transpose(1, 2).reshape(batch, length, width)
        return self.proj(x)


class Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 2 * width)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))


class EncoderBlock(nn.Module):
    def __init__(self, width: int, heads: int, own: bool) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = (
            Attention(width, heads)
            if own
            else nn.MultiheadAttention(width, heads, batch_first=True)
        )
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        if isinstance(self.attn, nn.MultiheadAttention):
            y, _ = self.attn(y, y, y, need_weights=False)
        else:
            y = self.attn(y)
        x = x + y
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    def __init__(self, width: int = 16, patch: int = 8, classes: int = 10) -> None:
        super().__init__()
        self.width = width
        self.patch = patch
        self.conv_proj = nn.Conv2d(3, width, patch, patch)
        self.class_token = nn.Parameter(torch.randn(1, 1, width))
        self.pos_embedding = nn.Parameter(torch.randn(1, 17, width) * 0.02)
        self.layers = nn.Sequential(EncoderBlock(width, 4, True), EncoderBlock(width, 2, False))
        self.ln = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)

    def _tokens(self, x: Tensor) -> Tensor:
        batch, _, height, columns = x.shape
        count = (height // self.patch) * (columns // self.patch)
        x = self.conv_proj(x).reshape(batch, self.width, count)
        return x.permute(0, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self._tokens(x)
        token = self.class_token.expand(x.shape[0], -1, -1)
        x = torch.cat([token, x], dim=1) + self.pos_embedding
        x = self.ln(self.layers(x))
        return self.head(x[:, 0])


def network() -> nn.Module:
    return _seeded.seeded(VisionTransformer)


def stubbed() -> nn.Module:
    return _seeded.stubbed(network())


def example() -> tuple[Tensor, ...]:
    return (_seeded.image(2, 3, 32, 32),)
