"""unshared: whether a tensor that a call returned is nobody else's, so that it may be overwritten.

Told by counting references: of the object, of the tensor behind it, of the tensor it is a view of,
and of the memory. What each count is for a tensor that is nobody else's is found by looking at one.
"""

from __future__ import annotations

import sys
from functools import cache

import torch
from torch import Tensor
from torch.nn.modules import module as modules

SMALLEST = 1 << 12
"""Elements below which a new tensor costs no more than to ask."""


def unshared(y: Tensor, references: int) -> bool:
    """Whether nobody could see `y` being overwritten, where gradients are off.

    `references` is what `sys.getrefcount(y)` said, in a statement of its own, in the function whose
    local variable `y` is. Memory that came from elsewhere, as from NumPy, counts as shared, and so
    does `y` where gradients are on.
    """
    if type(y) is not Tensor or y.numel() < SMALLEST or references != _of_a_local():
        return False
    if torch.is_grad_enabled() or y.requires_grad or y.layout != torch.strided:
        return False
    if y.is_inference() and not torch.is_inference_mode_enabled():
        return False
    if torch._C._functorch.is_functorch_wrapped_tensor(y):
        # it has no memory of its own
        return False
    return _counts(y) in _counts_alone() and _has_places_of_its_own(y)


def unwatched(module: torch.nn.Module) -> bool:
    """Whether no hook gets to see what a module is called with."""
    hooks = module._forward_hooks or module._forward_pre_hooks
    return not hooks and not modules._global_forward_hooks and not modules._global_forward_pre_hooks


def _has_places_of_its_own(y: Tensor) -> bool:
    """Whether each element has its place in memory, as after an `expand` it has not."""
    return y.is_contiguous() or bool(torch.ops.aten.is_non_overlapping_and_dense(y))


def _counts(y: Tensor) -> tuple[int, ...]:
    base, storage = y._base, y.untyped_storage()
    held = torch._C._storage_Use_Count(storage._cdata)  # type: ignore[attr-defined]
    of_base = (0, 0) if base is None else (sys.getrefcount(base), base._use_count())  # type: ignore[attr-defined]
    return y._use_count(), held, storage.resizable(), *of_base  # type: ignore[attr-defined]


@cache
def _of_a_local() -> int:
    y = torch.empty(0, device="cpu")
    references = sys.getrefcount(y)
    return references


@cache
def _counts_alone() -> frozenset[tuple[int, ...]]:
    """Of a tensor of its own; of one that is a view of another which nothing else holds."""
    with torch.inference_mode(False), torch.no_grad():
        whole = torch.empty(4, device="cpu")
        view = torch.empty(4, device="cpu").view(2, 2)
    return frozenset(map(_counts, (whole, view)))
