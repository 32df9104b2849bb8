"""whole_numbers: which tensors of a traced model hold no floats: masks, indices, token numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_leaves

from qflow.tracing.call import call_of


def whole_numbers(
    module: fx.GraphModule, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> frozenset[str]:
    """Addresses whose every output tensor is integer or boolean, seen in one forward."""
    kinds: dict[str, bool] = dict(_inputs(module, args, kwargs))
    addresses = {
        call.address
        for node in module.graph.nodes
        if node.op == "call_module" and (call := call_of(node)) is not None
    }
    handles = [
        module.get_submodule(a).register_forward_hook(_noting(kinds, a)) for a in sorted(addresses)
    ]
    try:
        with torch.no_grad():
            module(*args, **kwargs)
    finally:
        for handle in handles:
            handle.remove()
    return frozenset(a for a, floats in kinds.items() if not floats)


def _noting(kinds: dict[str, bool], address: str) -> Any:
    def note(_module: nn.Module, _args: Any, result: Any) -> None:
        tensors = [t for t in tree_leaves(result) if isinstance(t, Tensor)]
        if tensors:
            kinds[address] = any(map(torch.is_floating_point, tensors))

    return note


def _inputs(
    module: fx.GraphModule, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, bool]:
    """Per input of the graph whether it holds floats; they stand in the order of the call."""
    names = [
        call.address
        for node in module.graph.nodes
        if (call := call_of(node)) is not None and call.op == "input"
    ]
    given = {k: v for k, v in kwargs.items() if isinstance(v, Tensor)}
    if not args and set(names) == set(given):
        return {name: torch.is_floating_point(given[name]) for name in names}
    tensors = [t for t in tree_leaves((args, dict(kwargs))) if isinstance(t, Tensor)]
    return dict(zip(names, map(torch.is_floating_point, tensors), strict=False))
