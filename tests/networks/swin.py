"""swin: as Swin transformers are: attention in windows that every other block shifts."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.networks import _seeded


def window_partition(x: Tensor, size: int) -> Tensor:
    """[batch, rows, columns, width] to [windows, size * size, width]."""
    batch, rows, columns, width = x.shape
    x = x.view(batch, rows // size, size, columns // size, size, width)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, size * size, width)


def window_reverse(windows: Tensor, size: int, rows: int, columns: int) -> Tensor:
    width = windows.shape[-1]
    x = windows.view(-1, rows // size, columns // size, size, size, width)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, rows, columns, width)


def relative_index(size: int) -> Tensor:
    """For each pair of places in a window the row of the bias table."""
    axes = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    places = torch.stack(axes).flatten(1)
    apart = (places[:, :, None] - places[:, None, :]).permute(1, 2, 0) + size - 1
    return (apart[:, :, 0] * (2 * size - 1) + apart[:, :, 1]).flatten()


def shift_mask(rows: int, columns: int, size: int, shift: int) -> Tensor:
    """-100 between places that the roll brought into one window; [windows, places, places]."""
    regions = torch.zeros(1, rows, columns, 1)
    slices = (slice(0, -size), slice(-size, -shift), slice(-shift, None))
    for i, row in enumerate(slices):
        for j, column in enumerate(slices):
            regions[:, row, column] = 3 * i + j
    windows = window_partition(regions, size).squeeze(-1)
    apart = windows.unsqueeze(1) - windows.unsqueeze(2)
    return apart.masked_fill(apart != 0, -100.0).masked_fill(apart == 0, 0.0)


class WindowAttention(nn.Module):
    def __init__(self, width: int, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.relative_position_bias_table = nn.Parameter(
            torch.randn((2 * size - 1) ** 2, heads) * 0.02
        )
        self.register_buffer("relative_position_index", relative_index(size))

    def bias(self, places: int) -> Tensor:
        table = self.relative_position_bias_table[self.relative_position_index]
        return table.view(places, places, -1).permute(2, 0, 1).contiguous().unsqueeze(0)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        windows, places, width = x.shape
        qkv = self.qkv(x).reshape(windows, places, 3, self.heads, width // self.heads)
        qkv = qkv.permute(2, 0, 3, 1, 4)
        query, key, value = qkv[0], qkv[1], qkv[2]
        attention = (query * self.scale) @ key.transpose(-2, -1)
        attention = attention + self.bias(places)
        if mask is not None:
            count = mask.shape[0]
            attention = attention.view(-1, count, self.heads, places, places)
            attention = attention + mask.unsqueeze(1).unsqueeze(0)
            attention = attention.view(-1, self.heads, places, places)
        attention = functional.softmax(attention, dim=-1)
        x = (attention @ value).transpose(1, 2).reshape(windows, places, width)
        return self.proj(x)


class SwinBlock(nn.Module):
    def __init__(self, width: int, heads: int, size: int, shift: int, rows: int) -> None:
        super().__init__()
        self.size, self.shift = size, shift
        self.norm1 = nn.LayerNorm(width)
        self.attn = WindowAttention(width, size, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        mask = shift_mask(rows, rows, size, shift) if shift else None
        self.register_buffer("attn_mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        _, rows, columns, _ = x.shape
        y = self.norm1(x)
        if self.shift > 0:
            y = torch.roll(y, shifts=(-self.shift, -self.shift), dims=(1, 2))
        y = self.attn(window_partition(y, self.size), self.attn_mask)
        y = window_reverse(y, self.size, rows, columns)
        if self.shift > 0:
            y = torch.roll(y, shifts=(self.shift, self.shift), dims=(1, 2))
        x = x + y
        return x + self.mlp(self.norm2(x))


class PatchMerging(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * width)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x0 = x[:, 0::2, 0::2, :]
        x1 = x[:, 1::2, 0::2, :]
        x2 = x[:, 0::2, 1::2, :]
        x3 = x[..., 1::2, 1::2, :]
        return self.reduction(self.norm(torch.cat([x0, x1, x2, x3], -1)))


class SwinTransformer(nn.Module):
    def __init__(self, width: int = 8, classes: int = 10) -> None:
        super().__init__()
        self.patch_embed = nn.Conv2d(3, width, 4, 4)
        self.layer1 = nn.Sequential(SwinBlock(width, 2, 4, 0, 8), SwinBlock(width, 2, 4, 2, 8))
        self.downsample = PatchMerging(width)
        self.layer2 = SwinBlock(2 * width, 2, 4, 0, 4)
        self.norm = nn.LayerNorm(2 * width)
        self.head = nn.Linear(2 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed(x).permute(0, 2, 3, 1)
        x = self.layer2(self.downsample(self.layer1(x)))
        x = self.norm(x).mean(dim=(1, 2))
        return self.head(x)


def network() -> nn.Module:
    return _seeded.seeded(SwinTransformer)


def example() -> tuple[Tensor, ...]:
    return (_seeded.image(2, 3, 32, 32),)
