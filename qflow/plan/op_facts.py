"""op_facts: what operator files say of themselves, read without torch; `unknown` has no facts."""

from __future__ import annotations

from functools import cache
from typing import Any

from qflow import registry
from qflow.plan.inventory import Inventory

KIND = "emulation.ops"
BASE = "qflow.emulation.op"
"""Where what all operators share is defined."""


@cache
def role(op: str) -> str:
    """gemm, normalization, activation, elementwise, pool, shape or boundary; empty for none."""
    return str(getattr(operator(op), "role", ""))


@cache
def pattern_word(op: str) -> str:
    """Its word in a fusion pattern; empty for none."""
    return str(getattr(operator(op), "pattern_word", ""))


@cache
def shares_scale(op: str) -> bool:
    """Whether the output lies on the grid of the inputs."""
    return bool(getattr(operator(op), "shares_scale", False))


@cache
def rearranges(op: str) -> bool:
    """Whether it only changes order and shape of one tensor's values."""
    return bool(getattr(operator(op), "rearranges", False))


def moves_only(inventory: Inventory, address: str) -> bool:
    """Whether it is an identity, or an operator that only changes the layout of one tensor."""
    op = inventory.by_address[address].op
    one = len(inventory.sources[address]) == 1
    return op == "identity" or (one and role(op) == "shape")


@cache
def weight_axis(op: str) -> int | None:
    """Axis of the output channels in the weight; None where there is no weight with a grid."""
    axis: int | None = getattr(operator(op), "weight_axis", None)
    return axis


@cache
def gives_indices(op: str) -> bool:
    """Whether its result holds whole numbers that lie on no grid: argmax."""
    return bool(getattr(operator(op), "gives_indices", False))


@cache
def runs_on_floats(op: str) -> bool:
    """Whether it can be a float island: it has a form in NumPy floats."""
    found = operator(op)
    if found is None:
        return False
    return any("real" in vars(c) for c in found.__mro__ if c.__module__ != BASE)


@cache
def index_part(op: str) -> int | None:
    """Which part of its result holds whole numbers, where that is a tuple: 1 of topk."""
    part: int | None = getattr(operator(op), "index_part", None)
    return part


def operator(op: str) -> Any:
    """What is registered under that name; None for nothing."""
    return registry.load(KIND, op) if op in registry.names(KIND) else None
