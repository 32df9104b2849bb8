"""Every network is traced both ways: it computes the same, and its operators are known."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from qflow.quantization.region import between_stubs
from qflow.tracing import trace_call
from tests import networks

CASES = [(name, method) for name in networks.NAMES for method in ("symbolic", "example")]
NOT_SYMBOLIC = {("bert", "symbolic")}
"""It cuts a buffer to the length of its input, which is no number while a trace is symbolic."""
UNKNOWN = {
    # the symbolic tracer keeps modules of torch whole; by example attention becomes its operators
    ("vit", "symbolic"): {"MultiheadAttention"},
}
"""Types that stay unknown between the stubs."""


def arguments(name: str) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
    file = networks.load(name)
    return file.example(), file.example_kwargs() if hasattr(file, "example_kwargs") else {}


def tensors(result: Any) -> list[Tensor]:
    if isinstance(result, Tensor):
        return [result]
    values = result.values() if isinstance(result, dict) else result
    return [t for v in values for t in tensors(v)]


@pytest.mark.parametrize(("name", "method"), [c for c in CASES if c not in NOT_SYMBOLIC])
def test_a_trace_knows_its_operators_and_computes_the_same(name: str, method: str) -> None:
    model, (args, kwargs) = networks.load(name).network(), arguments(name)
    traced = trace_call(model, args, kwargs, method=method)
    inside = between_stubs(traced.inventory)
    unknown = {
        m.type for m in traced.inventory.modules if m.op == "unknown" and m.address in inside
    }
    assert unknown == UNKNOWN.get((name, method), set())
    assert len(inside) > 10
    with torch.no_grad():
        expected, found = tensors(model(*args, **kwargs)), tensors(traced.module(*args, **kwargs))
    assert len(found) == len(expected)
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", networks.NAMES)
def test_networks_are_the_same_every_time(name: str) -> None:
    file, (args, kwargs) = networks.load(name), arguments(name)
    with torch.no_grad():
        first = tensors(file.network()(*args, **kwargs))
        torch.rand(3)
        second = tensors(file.network()(*args, **kwargs))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(torch.isfinite(t).all() and t.std() > 0 for t in first)
