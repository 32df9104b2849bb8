"""Tables of an operator's outputs for every byte, or every two, that it can get.

A function of each place of one or two tensors of 8 bits is read from a table that its own oracle
filled: exact by construction, and one lookup in place of several passes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qflow import loops
from qflow.emulation.op import BYTES, Call
from qflow.emulation.runtimes._blocks import blockwise

VALUES = 256
"""Of a byte."""
NARROW = (torch.int8, torch.uint8)
TWICE = {1: np.int16, 2: np.int32}
"""By bytes of an entry, what holds two."""


def of_each(call: Call, device: Any) -> Callable[..., Tensor] | None:
    """A function of each place of one or two tensors, which broadcast, from the oracle; None where
    it is none of bytes, or has constants of its own at different places."""
    types = (*call.sources, call.node.output)
    if device.type != "cpu" or any(t.dtype not in BYTES for t in types):
        return None
    if any(constant.size > 1 for constant in call.constants.values()):
        return None
    every = [np.arange(VALUES, dtype=np.uint8).view(t.dtype) for t in call.sources]
    with np.errstate(over="ignore"):
        found = call.operator.oracle(call, *np.ix_(*every)).astype(call.node.output.dtype)
    if len(every) == 1:
        return read(found, device)
    left, right = (getattr(torch, t.dtype) for t in call.sources)
    run = _in_memory_order(_of_two(found))
    return lambda x, y: run(*torch.broadcast_tensors(x.to(left), y.to(right)))


def read(table: np.ndarray, device: Any) -> Callable[[Tensor], Tensor]:
    """`table` [256] of 8 or 16 bits, indexed by the byte as it lies in memory, for integers of 8
    bits in any dtype."""
    entries = torch.from_numpy(table.copy()).to(device)
    if loops.is_there(device) and table.itemsize == 1:
        looked_up = _in_one_pass(entries)
    else:
        looked_up = _pairs(table, entries)
    in_order = _in_memory_order(looked_up)

    def run(q: Tensor) -> Tensor:
        if q.dtype in NARROW and q.device.type == "cpu":
            return in_order(q)
        index = q.to(torch.int32) & (VALUES - 1)
        return entries.index_select(0, index.reshape(-1)).reshape(q.shape)

    return run


def _in_one_pass(entries: Tensor) -> Callable[..., Tensor]:
    from qflow.loops import table as loop

    flat = entries.reshape(-1)
    return lambda *q: loop.look_up(flat, *(x.contiguous() for x in q))


def _pairs(table: np.ndarray, entries: Tensor) -> Callable[[Tensor], Tensor]:
    # for two bytes at a time: half as many lookups, in what still fits the cache
    two_bytes = np.arange(VALUES * VALUES, dtype=np.uint16).view(np.uint8).reshape(-1, 2)
    both = table[two_bytes].view(TWICE[table.dtype.itemsize])[:, 0]
    pairs = torch.from_numpy(both)

    def looked_up(q: Tensor) -> Tensor:
        flat = q.reshape(-1).view(torch.uint8)
        if flat.numel() % 2 or flat.storage_offset() % 2:
            return entries.index_select(0, flat.to(torch.int32)).reshape(q.shape)
        found = pairs.index_select(0, flat.view(torch.uint16).to(torch.int32))
        return found.view(entries.dtype).reshape(q.shape)

    return looked_up


def _of_two(table: np.ndarray) -> Callable[[Tensor, Tensor], Tensor]:
    """`table` [256, 256], indexed by both bytes."""
    entries = torch.from_numpy(table.reshape(-1))
    if loops.is_there() and table.itemsize == 1:
        return _in_one_pass(entries)

    def run(x: Tensor, y: Tensor) -> Tensor:
        index = x.view(torch.uint8).to(torch.int32).mul_(VALUES).add_(y.view(torch.uint8))
        return entries.index_select(0, index.reshape(-1)).reshape(index.shape)

    return blockwise(run)


def _in_memory_order(run: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`run` with axes as they lie in memory, so that what has channels last keeps them there."""

    def ordered(*operands: Tensor) -> Tensor:
        first = operands[0]
        if first.ndim != 4 or not first.is_contiguous(memory_format=torch.channels_last):
            return run(*operands)
        return run(*(x.permute(0, 2, 3, 1) for x in operands)).permute(0, 3, 1, 2)

    return ordered
