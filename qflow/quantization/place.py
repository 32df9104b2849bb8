"""place: where in a network a tensor lies, for observers whose rule depends on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TAIL = 5
"""Tensors that a tail has at most."""
GEMMS = ("conv1d", "conv2d", "conv3d", "conv_transpose2d", "linear", "matmul")
"""A tail begins with one of them."""


@dataclass(frozen=True)
class Place:
    index: int
    """In order of execution, inputs first; a fusion is one tensor."""
    count: int
    """Of all tensors between the stubs."""
    is_input: bool
    is_tail: bool
    """One of the last, from the last convolution or matrix product on."""


def places(ops: Sequence[tuple[str, str]]) -> Mapping[str, Place]:
    """The place of every tensor; `ops` are address and operator, in order of execution.

    A tensor that is made twice has the place where it is made first.
    """
    begins = max(len(ops) - TAIL, 0)
    tail = next((i for i in range(len(ops) - 1, begins - 1, -1) if ops[i][1] in GEMMS), begins)
    found: dict[str, Place] = {}
    for index, (address, op) in enumerate(ops):
        found.setdefault(address, Place(index, len(ops), op == "quant", index >= tail))
    return found
