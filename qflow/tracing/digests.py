"""digests: whether two runs of a graph gave the same bits, without keeping every tensor."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import torch
from torch import Tensor


def digest_of(value: Any) -> str:
    """Of every tensor in a value: dtype, shape and bits."""
    found = blake2b(digest_size=12)
    _feed(value, found)
    return found.hexdigest()


def _feed(value: Any, found: Any) -> None:
    if isinstance(value, Tensor):
        found.update(f"{value.dtype}{tuple(value.shape)}".encode())
        plain = value.detach().resolve_conj().resolve_neg().cpu()
        # a copy, since a view of bytes needs usual strides even where there is one element
        plain = plain.clone(memory_format=torch.contiguous_format)
        found.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
    elif isinstance(value, Mapping):
        for item in value.values():
            _feed(item, found)
    elif isinstance(value, (tuple, list)):
        for item in value:
            _feed(item, found)
