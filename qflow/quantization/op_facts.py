"""op_facts: what operator files say of themselves, for deciding; `unknown` has no facts."""

from __future__ import annotations

from functools import cache
from typing import Any

from qflow import registry

KIND = "emulation.ops"


@cache
def role(op: str) -> str:
    """gemm, normalization, activation, elementwise, pool, shape or boundary; empty for none."""
    return str(getattr(_operator(op), "role", ""))


@cache
def pattern_word(op: str) -> str:
    """Its word in a fusion pattern; empty for none."""
    return str(getattr(_operator(op), "pattern_word", ""))


@cache
def shares_scale(op: str) -> bool:
    """Whether the output lies on the grid of the inputs."""
    return bool(getattr(_operator(op), "shares_scale", False))


@cache
def weight_axis(op: str) -> int | None:
    """Axis of the output channels in the weight; None where there is no weight with a grid."""
    axis: int | None = getattr(_operator(op), "weight_axis", None)
    return axis


@cache
def gives_indices(op: str) -> bool:
    """Whether its result holds whole numbers that lie on no grid: argmax."""
    return bool(getattr(_operator(op), "gives_indices", False))


def _operator(op: str) -> Any:
    return registry.load(KIND, op) if op in registry.names(KIND) else None
