"""bert: as text encoders are: embeddings, masked attention, a head tied to the word embedding."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.networks import _seeded

WORDS = 50
"""Size of the vocabulary."""


class Embeddings(nn.Module):
    def __init__(self, width: int, longest: int = 16) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(WORDS, width, padding_idx=0)
        self.position_embeddings = nn.Embedding(longest, width)
        self.token_type_embeddings = nn.Embedding(2, width)
        self.LayerNorm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(0.1)
        self.register_buffer("position_ids", torch.arange(longest).expand((1, -1)))

    def forward(self, input_ids: Tensor, token_type_ids: Tensor | None) -> Tensor:
        length = input_ids.size(1)
        if token_type_ids is None:
            token_type_ids = torch.zeros_like(input_ids)
        positions = self.position_embeddings(self.position_ids[:, :length])
        embedded = self.word_embeddings(input_ids) + self.token_type_embeddings(token_type_ids)
        embedded += positions
        return self.dropout(self.LayerNorm(embedded))


class SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.size = width // heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.dropout = nn.Dropout(0.1)

    def transpose_for_scores(self, x: Tensor) -> Tensor:
        x = x.view(*x.shape[:-1], self.heads, self.size)
        return x.permute(0, 2, 1, 3)

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        query = self.transpose_for_scores(self.query(hidden_states))
        key = self.transpose_for_scores(self.key(hidden_states))
        value = self.transpose_for_scores(self.value(hidden_states))
        scores = torch.matmul(query, key.transpose(-1, -2)) / math.sqrt(self.size)
        if attention_mask is not None:
            scores = scores + attention_mask
        weights = self.dropout(nn.functional.softmax(scores, dim=-1))
        context = torch.matmul(weights, value).permute(0, 2, 1, 3).contiguous()
        return context.view((*context.size()[:-2], self.heads * self.size))


class Layer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = SelfAttention(width, heads)
        self.attention_output = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, eps=1e-12)
        self.intermediate = nn.Linear(width, 2 * width)
        self.output = nn.Linear(2 * width, width)
        self.output_norm = nn.LayerNorm(width, eps=1e-12)

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        attended = self.attention_output(self.attention(hidden_states, attention_mask))
        hidden_states = self.attention_norm(attended + hidden_states)
        wide = functional.gelu(self.intermediate(hidden_states))
        return self.output_norm(self.output(wide) + hidden_states)


class MaskedLanguageModel(nn.Module):
    def __init__(self, width: int = 16, heads: int = 2, layers: int = 2) -> None:
        super().__init__()
        self.embeddings = Embeddings(width)
        self.layer = nn.ModuleList(Layer(width, heads) for _ in range(layers))
        self.pooler = nn.Linear(width, width)
        self.decoder = nn.Linear(width, WORDS)
        self.decoder.weight = self.embeddings.word_embeddings.weight

    def extended(self, attention_mask: Tensor) -> Tensor:
        """0 where a word may be read, a very low value where it is padding."""
        mask = attention_mask[:, None, None, :].to(dtype=torch.float32)
        return (1.0 - mask) * -10000.0

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
    ) -> dict[str, Tensor]:
        mask = None if attention_mask is None else self.extended(attention_mask)
        hidden_states = self.embeddings(input_ids, token_type_ids)
        for layer in self.layer:
            hidden_states = layer(hidden_states, attention_mask=mask)
        pooled = torch.tanh(self.pooler(hidden_states[:, 0]))
        return {"logits": self.decoder(hidden_states), "pooler_output": pooled}


def network() -> nn.Module:
    return _seeded.seeded(MaskedLanguageModel)


def example() -> tuple[Tensor, ...]:
    return (_seeded.numbers(WORDS, 2, 8),)


def example_kwargs() -> dict[str, Tensor]:
    mask = torch.ones(2, 8, dtype=torch.int64)
    mask[1, 6:] = 0
    return {"attention_mask": mask, "token_type_ids": _seeded.numbers(2, 2, 8)}
