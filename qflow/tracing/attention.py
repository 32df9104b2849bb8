"""attention: what torch does in one function, as the operators it is made of.

Formulas: Vaswani et al., Attention Is All You Need, section 3.2.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

MASKED = -100.0
"""What a score becomes where a mask hides it: e^-100 is nothing, and no grid holds infinity."""


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(scale * query @ key^T + mask) @ value, as `scaled_dot_product_attention` defines it.

    Shapes [..., length, width]; a boolean mask says what takes part, a float mask is added. What is
    hidden gets the score MASKED. Nothing is dropped: traces are of evaluation.
    """
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    if enable_gqa:
        repeats = int(query.shape[-3]) // int(key.shape[-3])
        key, value = key.repeat_interleave(repeats, -3), value.repeat_interleave(repeats, -3)
    scores = torch.matmul(query * factor, key.transpose(-2, -1))
    if is_causal:
        attn_mask = _causal(scores)
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(torch.logical_not(attn_mask), MASKED)
    elif attn_mask is not None:
        scores = scores + _finite(attn_mask)
    return torch.matmul(functional.softmax(scores, dim=-1), value)


def multi_head_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """`torch.nn.functional.multi_head_attention_forward`: length first, [length, batch, width].

    Without a batch, [length, width]. Projections are linears on the parameters given, so they are
    gemms of the traced model.
    """
    batched = query.dim() == 3
    if not batched:
        query, key, value = _unsqueezed(query, key, value)
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    if use_separate_proj_weight:
        weights: Any = (q_proj_weight, k_proj_weight, v_proj_weight)
        query, key, value = _projected(query, key, value, weights, in_proj_bias)
    else:
        query, key, value = _packed(query, key, value, in_proj_weight, in_proj_bias)
    if bias_k is not None and bias_v is not None:
        key = torch.cat([key, bias_k.expand(-1, batch, -1)])
        value = torch.cat([value, bias_v.expand(-1, batch, -1)])
    key = _heads(key, batch, num_heads) if static_k is None else static_k
    value = _heads(value, batch, num_heads) if static_v is None else static_v
    if add_zero_attn:
        key, value = functional.pad(key, (0, 0, 0, 1)), functional.pad(value, (0, 0, 0, 1))
    query = _heads(query, batch, num_heads)
    if is_causal and key_padding_mask is None and not need_weights:
        # then the mask is only a hint, and torch does not read it
        attn_mask = None
    added = int(key.shape[1]) - (0 if attn_mask is None else int(attn_mask.shape[-1]))
    if attn_mask is not None and added:
        attn_mask = functional.pad(attn_mask, (0, added))
    if key_padding_mask is not None:
        padding = int(key.shape[1]) - int(key_padding_mask.shape[-1])
        key_padding_mask = functional.pad(key_padding_mask, (0, padding))
    scores = torch.matmul(query * query.shape[-1] ** -0.5, key.transpose(-2, -1))
    if is_causal and attn_mask is None:
        attn_mask = _causal(scores)
        scores = scores.masked_fill(torch.logical_not(attn_mask), MASKED)
    elif attn_mask is not None:
        scores = _masked(scores, attn_mask)
    if key_padding_mask is not None:
        by_head = scores.view(batch, num_heads, length, -1)
        by_head = _masked(by_head, key_padding_mask.unsqueeze(1).unsqueeze(2))
        scores = by_head.view(batch * num_heads, length, -1)
    weights = functional.softmax(scores, dim=-1)
    mixed = torch.matmul(weights, value).transpose(0, 1).reshape(length, batch, width)
    result = functional.linear(mixed, out_proj_weight, out_proj_bias)
    if not need_weights:
        return (result if batched else result.squeeze(1)), None
    shown = weights.view(batch, num_heads, length, -1)
    if average_attn_weights:
        shown = shown.mean(dim=1)
    return (result, shown) if batched else (result.squeeze(1), shown.squeeze(0))


def _unsqueezed(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """With a batch of one; what was one tensor stays one."""
    first = query.unsqueeze(1)
    second = first if key is query else key.unsqueeze(1)
    return first, second, second if value is key else value.unsqueeze(1)


def _packed(
    query: Tensor, key: Tensor, value: Tensor, weight: Any, bias: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """One linear where one tensor is all three, otherwise three on parts of the weight."""
    if query is key and key is value:
        a, b, c = functional.linear(query, weight, bias).chunk(3, dim=-1)
        return a, b, c
    return _projected(query, key, value, weight.chunk(3), bias)


def _projected(
    query: Tensor, key: Tensor, value: Tensor, weights: Any, bias: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    biases = (None, None, None) if bias is None else bias.chunk(3)
    a, b, c = map(functional.linear, (query, key, value), weights, biases)
    return a, b, c


def _heads(x: Tensor, batch: int, heads: int) -> Tensor:
    """[length, batch, width] to [batch * heads, length, width / heads]."""
    return x.reshape(x.shape[0], batch * heads, int(x.shape[2]) // heads).transpose(0, 1)


def _masked(scores: Tensor, mask: Tensor) -> Tensor:
    """A boolean mask says what does not take part, a float mask is added."""
    if mask.dtype == torch.bool:
        return scores.masked_fill(mask, MASKED)
    return scores + _finite(mask)


def _finite(mask: Tensor) -> Tensor:
    """A float mask without what no grid holds; as it is where it is mild, as a bias is."""
    with torch._C.DisableTorchFunction():
        wild = bool((mask < MASKED).any())
    return torch.clamp(mask, min=MASKED) if wild else mask


def _causal(scores: Tensor) -> Tensor:
    size = scores.shape[-2:]
    return torch.ones(size, dtype=torch.bool, device=scores.device).tril()
